/**
 * Servers that render pages: the session is in the server's own encrypted session, and the browser never sees a token.
 *
 * @packageDocumentation
 */
import type { CallOptions, Credentials, Names, PasswordChange, Signup } from './auth.js';
import { clientOf } from './client.js';
import type { SessionInfo } from './formats.js';
import { pageLock } from './lock.js';
import { settle, type AuthOptions, type Settings } from './options.js';
import type { Session, User } from './session.js';
import type { KeyValueStorage } from './storage.js';
import { SessionStore } from './store.js';
import { keyValueVault } from './vault.js';

/** The browser that is being answered, for the service's rate limits, session list and audit log. */
export interface Visitor {
    /**
     * The `TRUSTED_PROXY_SECRET` of the service, which goes with the address and makes it trust that. It must not reach a
     * browser. Without one, or with an empty one, nothing is sent on.
     */
    secret: string | undefined;
    /** The browser's IP address, as the server or the proxy before it knows it; not what a browser may have written. */
    address: string | null | undefined;
    /** The browser's `User-Agent`. */
    userAgent?: string | null | undefined;
}

/** How a server's client is to be. */
export interface ServerAuthOptions extends Omit<AuthOptions, 'storage' | 'delivery' | 'sendRefreshToken'> {
    /** The session of the browser that is being answered, encrypted: iron-session, say. */
    storage: KeyValueStorage;
    /**
     * Where nothing can be stored, as in a Server Component of Next.js, whose answer has begun. A token may be renewed once
     * for this one answer then; the next request repeats that renewal with the same key, gets the same tokens and stores them.
     */
    readOnly?: boolean;
    /** Whom the server asks for. Without it, all visitors share the rate limits of the server's own address. */
    visitor?: Visitor | undefined;
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
    signup(signup: Signup, options?: CallOptions): Promise<PublicSession>;
    login(credentials: Credentials, options?: CallOptions): Promise<PublicSession>;
    logout(options?: CallOptions): Promise<void>;
    revokeAll(options?: CallOptions): Promise<number>;
    me(options?: CallOptions): Promise<User>;
    updateMe(names: Names, options?: CallOptions): Promise<User>;
    changePassword(passwords: PasswordChange, options?: CallOptions): Promise<number>;
    sessions(options?: CallOptions): Promise<SessionInfo[]>;
    endSession(sessionId: string, options?: CallOptions): Promise<void>;
    session(options?: CallOptions): Promise<PublicSession | null>;
}

/** Makes a client for one request to the server. A renewal is finished and stored before a call of it returns. */
export function createServerAuth(options: ServerAuthOptions): ServerAuth {
    const asked = settle({ ...options, delivery: 'body' });
    const settings = { ...asked, fetch: forwarding(asked, options.visitor) };
    const { storageKey, randomKey } = settings;
    const { readOnly = false } = options;
    const vault = keyValueVault('tab', readOnce(options.storage, readOnly), storageKey);
    // Requests of one browser may be answered side by side; two renewals with one key get the same tokens.
    const lock = pageLock(randomKey());
    const store = new SessionStore(vault, storageKey);
    const auth = clientOf({ settings, store, lock, inBackground: false, readOnly });
    const { fetch, logout, revokeAll, me, updateMe, changePassword, sessions, endSession } = auth;
    return {
        ...{ fetch, logout, revokeAll, me, updateMe, changePassword, sessions, endSession },
        signup: async (signup, options) => withoutTokens(await auth.signup(signup, options)),
        login: async (credentials, options) => withoutTokens(await auth.login(credentials, options)),
        session: async (options) => {
            const session = await auth.session(options);
            return session && withoutTokens(session);
        },
    };
}

/** An address of IPv4 or IPv6, without a port. */
const ADDRESS = /^[\da-f.:]{2,45}$/i;

/**
 * A `fetch` that tells the service whom a request is for. The secret goes to the service's own endpoints alone, and along
 * no redirect.
 */
function forwarding({ fetch, baseUrl }: Settings, visitor: Visitor | undefined): typeof globalThis.fetch {
    const { secret, address, userAgent } = visitor ?? {};
    if (!secret || !address || !ADDRESS.test(address)) return fetch;
    return (input, init) => {
        const url = input instanceof Request ? input.url : String(input);
        if (!url.startsWith(`${baseUrl}/auth/`)) return fetch(input, init);
        const headers = new Headers(init?.headers ?? (input instanceof Request ? input.headers : {}));
        headers.set('x-latchkey-proxy-secret', secret);
        headers.set('x-forwarded-for', address);
        if (userAgent) headers.set('x-forwarded-user-agent', userAgent);
        return fetch(input, { ...init, headers, redirect: 'manual' });
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
