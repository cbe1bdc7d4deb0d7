// React Native's own URL is not complete.
import 'react-native-url-polyfill/auto';

import AsyncStorage from '@react-native-async-storage/async-storage';
import * as Crypto from 'expo-crypto';

import { createAuth } from '@latchkey/client';

/** AsyncStorage has the three methods as they are. It is not encrypted: see `secure-store.ts` for the alternative. */
export const auth = createAuth({
    baseUrl: 'https://api.example.com',
    storage: AsyncStorage,
    // Hermes has no crypto.getRandomValues.
    randomKey: Crypto.randomUUID,
});
