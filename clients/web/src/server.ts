/**
 * Servers that render pages: the session is in the server's own encrypted session, and the browser never sees a token.
 *
 * @packageDocumentation
 */
import { Auth, type Names, type PasswordChange, type Signup } from './auth.js';
import type { SessionInfo } from './formats.js';
import { pageLock } from './lock.js';
import { settle, type AuthOptions } from './options.js';
import type { Session, User } from './session.js';
import type { KeyValueStorage } from './storage.js';
import { SessionStore } from './store.js';
import { keyValueVault } from './vault.js';

/** How a server's client is to be. */
export interface ServerAuthOptions extends Omit<AuthOptions, 'storage' | 'delivery' | 'sendRefreshToken'> {
    /** The session of the browser that is being answered, encrypted: iron-session, say. */
    storage: KeyValueStorage;
    /**
     * Where nothing can be stored, as in a Server Component of Next.js, whose answer has begun. A token may be renewed once
     * for this one answer then; the next request repeats that renewal with the same key, gets the same tokens and stores them.
     */
    readOnly?: boolean;
}

/** What a page may know of a session. */
export interface PublicSession {
    user: User;
    /** When the access token ends, in epoch milliseconds. */
    expiresAt: number;
}

/** A client for the answer to one request of one browser. */
export interface ServerAuth {
    /** As the global `fetch`, and signed in as the user of this session. */
    fetch: typeof globalThis.fetch;
    signup(signup: Signup): Promise<PublicSession>;
    login(credentials: { email: string; password: string }): Promise<PublicSession>;
    logout(): Promise<void>;
    revokeAll(): Promise<number>;
    me(): Promise<User>;
    updateMe(names: Names): Promise<User>;
    changePassword(passwords: PasswordChange): Promise<number>;
    sessions(): Promise<SessionInfo[]>;
    endSession(sessionId: string): Promise<void>;
    session(): Promise<PublicSession | null>;
}

/** Makes a client for one request to the server. A renewal is finished and stored before a call of it returns. */
export function createServerAuth(options: ServerAuthOptions): ServerAuth {
    const settings = settle({ ...options, delivery: 'body' });
    const { storageKey, randomKey } = settings;
    const { readOnly = false } = options;
    const vault = keyValueVault('tab', readOnce(options.storage, readOnly), storageKey);
    // Requests of one browser may be answered side by side; two renewals with one key get the same tokens.
    const lock = pageLock(randomKey());
    const store = new SessionStore(vault, storageKey);
    const auth = new Auth({ settings, store, lock, inBackground: false, readOnly });
    return {
        fetch: auth.fetch,
        signup: async (signup) => withoutTokens(await auth.signup(signup)),
        login: async (credentials) => withoutTokens(await auth.login(credentials)),
        logout: () => auth.logout(),
        revokeAll: () => auth.revokeAll(),
        me: () => auth.me(),
        updateMe: (names) => auth.updateMe(names),
        changePassword: (passwords) => auth.changePassword(passwords),
        sessions: () => auth.sessions(),
        endSession: (sessionId) => auth.endSession(sessionId),
        session: async () => {
            const session = await auth.session();
            return session && withoutTokens(session);
        },
    };
}

function withoutTokens({ user, expiresAt }: Session): PublicSession {
    return { user, expiresAt };
}

/** The session as it was when the request came, and as this answer changes it: it is decrypted once. */
function readOnce(storage: KeyValueStorage, readOnly: boolean): KeyValueStorage {
    let value: string | null | undefined;
    return {
        async getItem(key) {
            if (value === undefined) value = (await storage.getItem(key)) ?? null;
            return value;
        },
        async setItem(key, text) {
            if (!readOnly) await storage.setItem(key, text);
            value = text;
        },
        async removeItem(key) {
            if (!readOnly) await storage.removeItem(key);
            value = null;
        },
    };
}
