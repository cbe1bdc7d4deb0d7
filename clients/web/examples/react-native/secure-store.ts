// React Native's own URL is not complete.
import 'react-native-url-polyfill/auto';

import * as Crypto from 'expo-crypto';
import * as SecureStore from 'expo-secure-store';

import { createAuth, type KeyValueStorage } from '@latchkey/client';

/** Readable in the background once the phone has been unlocked, and never copied to another device by a backup. */
const OPTIONS = { keychainAccessible: SecureStore.AFTER_FIRST_UNLOCK_THIS_DEVICE_ONLY };

/** The Keychain of iOS, or values encrypted by a key in Android's Keystore. */
const keychain: KeyValueStorage = {
    getItem: (key) => SecureStore.getItemAsync(key, OPTIONS),
    setItem: (key, value) => SecureStore.setItemAsync(key, value, OPTIONS),
    removeItem: (key) => SecureStore.deleteItemAsync(key, OPTIONS),
};

export const auth = createAuth({
    baseUrl: 'https://api.example.com',
    storage: keychain,
    // SecureStore takes letters, digits, `.`, `-` and `_` only.
    storageKey: 'latchkey.session',
    randomKey: Crypto.randomUUID,
});
