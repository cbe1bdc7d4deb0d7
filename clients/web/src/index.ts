/**
 * The browser's half of Latchkey: signs users in and keeps them signed in.
 *
 * @packageDocumentation
 */
import { Auth } from './auth.js';
import { lockFor } from './lock.js';
import { settle, type AuthOptions, type Settings } from './options.js';
import { SessionStore } from './store.js';
import { memoryStorage, webStorage } from './storage.js';
import { cookieVault, keyValueVault, marksKey, type Vault } from './vault.js';

/** Makes a client. Nothing is sent or read before it is used. */
export function createAuth(options: AuthOptions): Auth {
    const settings = settle(options);
    const { storageKey } = settings;
    const store = new SessionStore(vaultFor(settings), storageKey);
    return new Auth({ settings, store, lock: lockFor(storageKey), inBackground: true, readOnly: false });
}

function vaultFor({ storage, storageKey, delivery, randomKey }: Settings): Vault {
    const found = delivery === null && webStorage('localStorage')?.getItem(marksKey(storageKey)) != null;
    if (delivery === 'cookie' || found) return cookieVault(storageKey, randomKey);
    if (typeof storage === 'object') return keyValueVault('tab', storage, storageKey);
    if (storage === 'memory') return keyValueVault('tab', memoryStorage(), storageKey);
    const web = webStorage(storage);
    if (web === null) return keyValueVault('tab', memoryStorage(), storageKey);
    return keyValueVault(storage === 'localStorage' ? 'shared' : 'copied', web, storageKey);
}

export type { Auth, Names, PasswordChange, Signup } from './auth.js';
export type { Bearer } from './bearer.js';
export { AuthError, type AuthErrorCode, type AuthErrorDetails } from './errors.js';
export type { SessionInfo } from './formats.js';
export type { AuthOptions } from './options.js';
export type { Session, User } from './session.js';
export type { AuthState, ChangeReason } from './state.js';
export type { KeyValueStorage, StorageName } from './storage.js';
