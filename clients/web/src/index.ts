/**
 * The browser's half of Latchkey: signs users in and keeps them signed in.
 *
 * @packageDocumentation
 */
import type { Auth } from './auth.js';
import { clientOf } from './client.js';
import { lockFor } from './lock.js';
import { settle, type AuthOptions, type Settings } from './options.js';
import { isServer } from './page.js';
import { memoryStorage, webStorage } from './storage.js';
import { SessionStore } from './store.js';
import { cookieVault, keyValueVault, marksKey, type Vault } from './vault.js';

/** Makes a client. Nothing is sent or read before it is used. */
export function createAuth(options: AuthOptions): Auth {
    const settings = settle(options);
    const { storageKey, delivery, randomKey } = settings;
    const cookies = delivery === 'body' ? null : () => cookieVault(storageKey, randomKey);
    const store = new SessionStore(vaultFor(settings), storageKey, cookies);
    return clientOf({ settings, store, lock: lockFor(storageKey), inBackground: true, readOnly: false });
}

function vaultFor({ storage, storageKey, delivery, randomKey }: Settings): Vault {
    if (delivery === 'cookie' || (delivery === null && hasMarks(storageKey)))
        return cookieVault(storageKey, randomKey);
    if (typeof storage === 'object') return keyValueVault('custom', storage, storageKey);
    const web = storage === 'memory' || isServer() ? null : webStorage(storage);
    if (web === null) return keyValueVault('tab', memoryStorage(), storageKey);
    return keyValueVault(storage === 'localStorage' ? 'shared' : 'copied', web, storageKey);
}

/** Whether an earlier page has found out that refresh tokens come in cookies. */
function hasMarks(storageKey: string): boolean {
    try {
        return webStorage('localStorage')?.getItem(marksKey(storageKey)) != null;
    } catch {
        return false;
    }
}

export type { Auth, CallOptions, Credentials, Names, PasswordChange, Signup } from './auth.js';
export type { Bearer } from './bearer.js';
export { AuthError, type AuthErrorCode, type AuthErrorDetails } from './errors.js';
export type { SessionInfo, SessionReplay } from './formats.js';
export type { AuthOptions } from './options.js';
export type { Session, User } from './session.js';
export type { AuthState, ChangeReason, SignedInState, SignedOutState, UnknownState } from './state.js';
export type { KeyValueStorage, StorageName } from './storage.js';
