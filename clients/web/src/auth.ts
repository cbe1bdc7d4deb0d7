import { Bearer } from './bearer.js';
import { within } from './deadline.js';
import { AuthError } from './errors.js';
import { authorizedFetch } from './fetch.js';
import { readRevoked, readSessions, readUser, type Grant, type SessionInfo } from './formats.js';
import type { Lock } from './lock.js';
import { pageUrl, type Settings } from './options.js';
import { Renewer, sessionOf } from './renewer.js';
import { asAuthError, isWrongPassword, readAnswer, Service } from './service.js';
import { freshRenewal, sessionIdOf, type Session, type User } from './session.js';
import type { AuthState } from './state.js';
import type { SessionStore } from './store.js';
import { cookieVault } from './vault.js';

/** What a user gives to sign up. */
export interface Signup {
    email: string;
    password: string;
    displayName?: string | null;
    firstName?: string | null;
    lastName?: string | null;
}

/** What a user may change; `null` takes a name away. */
export type Names = Partial<Pick<User, 'displayName' | 'firstName' | 'lastName'>>;

/** What a user gives to change their password. */
export interface PasswordChange {
    currentPassword: string;
    newPassword: string;
}

/** The parts that a client is put together from. */
export interface Parts {
    settings: Settings;
    store: SessionStore;
    lock: Lock;
    /** Whether a token that still holds is renewed while requests go on with it. */
    inBackground: boolean;
    /**
     * Whether nothing outlives the client: its tokens are renewed once. The successor of a successor would leave what is
     * stored two steps behind, like a thief's.
     */
    readOnly: boolean;
}

/** A client: one session, and requests with it. Made by `createAuth`. */
export class Auth {
    /** As the global `fetch`, and signed in: nobody notices that a token ends. */
    readonly fetch: typeof globalThis.fetch;
    /** For other ways to send requests than `fetch`. */
    readonly bearer: Bearer;
    readonly #settings: Settings;
    readonly #store: SessionStore;
    readonly #lock: Lock;
    readonly #service: Service;
    readonly #renewer: Renewer;
    readonly #passwordFetch: typeof globalThis.fetch;

    /** @internal */
    constructor({ settings, store, lock, inBackground, readOnly }: Parts) {
        this.#settings = settings;
        this.#store = store;
        this.#lock = lock;
        this.#service = new Service(settings);
        const delivered = (grant: Grant) => this.#delivered(grant);
        this.#renewer = new Renewer(settings, this.#service, store, lock, delivered, readOnly);
        this.bearer = new Bearer(settings, store, this.#renewer, inBackground);
        this.fetch = authorizedFetch(this.bearer, settings.fetch);
        this.#passwordFetch = authorizedFetch(this.bearer, settings.fetch, isWrongPassword);
    }

    /** Creates a user, and signs them in. */
    signup(signup: Signup): Promise<Session> {
        return this.#signIn('/auth/signup', signup);
    }

    /** Signs a user in. Throws `invalid_credentials` for an unknown address and a wrong password alike. */
    login(credentials: { email: string; password: string }): Promise<Session> {
        return this.#signIn('/auth/login', credentials);
    }

    /**
     * Signs out: here and in the other tabs at once, then at the service. Throws if the service cannot be told; its
     * session then lives until it runs out, but nobody is signed in here.
     */
    async logout(): Promise<void> {
        const entry = await this.#store.read();
        // What could not be taken away the last time is still there.
        if (entry === null) {
            await this.#store.end(null, 'signed-out');
            return;
        }
        const { session } = entry;
        const cookies = this.#store.kind === 'cookie';
        const headers = session === null ? {} : { authorization: `Bearer ${session.token}` };
        const body = session?.refreshToken == null ? undefined : { refreshToken: session.refreshToken };
        const tell = () => this.#service.post('/auth/logout', { body, headers, cookies, keepalive: true });
        const finish = async () => {
            await tell();
            await this.#store.forget();
        };
        try {
            await this.#store.end(session, 'signed-out');
        } finally {
            // A refresh under way would set the cookie again.
            await (cookies ? this.#lock.run(finish) : tell());
        }
    }

    /** Ends every session of the user, on every device, and says how many there were. */
    async revokeAll(): Promise<number> {
        const body = await this.#request('POST', '/auth/revoke-all');
        const entry = await this.#store.read();
        if (entry?.session != null) await this.#store.end(entry.session, 'signed-out', { everywhere: true });
        return readRevoked(body) ?? 0;
    }

    /** The user, from the service. */
    async me(): Promise<User> {
        return await this.#keepUser(await this.#request('GET', '/auth/me'));
    }

    /** Changes names of the user. */
    async updateMe(names: Names): Promise<User> {
        return await this.#keepUser(await this.#request('PATCH', '/auth/me', names));
    }

    /**
     * Changes the password. Every other session of the user ends, on every device; says how many there were. This one goes
     * on. Throws `invalid_credentials` if the current password is wrong, and `weak_password` for the new one; nobody is
     * signed out by either. After an error that is `temporary` the same call may be made again: a change that has taken
     * effect is a success then.
     */
    async changePassword({ currentPassword, newPassword }: PasswordChange): Promise<number> {
        const passwords = { currentPassword, newPassword };
        return readRevoked(await this.#request('POST', '/auth/password', passwords, this.#passwordFetch)) ?? 0;
    }

    /** The user's live sessions, the one used last first. */
    async sessions(): Promise<SessionInfo[]> {
        const sessions = readSessions(await this.#request('GET', '/auth/sessions'));
        if (sessions === null) throw new AuthError('bad_answer', 'The answer has no sessions.');
        return sessions;
    }

    /** Ends one of the user's sessions. If it is this one, nobody is signed in afterwards. */
    async endSession(sessionId: string): Promise<void> {
        await this.#request('DELETE', `/auth/sessions/${encodeURIComponent(sessionId)}`);
        const entry = await this.#store.read();
        if (entry?.session != null && sessionIdOf(entry.session) === sessionId) {
            await this.#store.end(entry.session, 'signed-out');
        }
    }

    /**
     * The session, as it is stored; `null` if nobody is signed in. With cookie delivery the first call of a page asks
     * the service. A renewal that a reload has cut off is repeated.
     */
    async session(): Promise<Session | null> {
        const entry = await this.#store.read();
        if (entry === null) return null;
        if (entry.session === null) await this.bearer.token();
        else if (entry.renewal.unanswered) this.#renewer.renew(entry.session.token).catch(() => null);
        return this.#store.state.session;
    }

    /** Renews the session now, whether it is time or not. */
    async renew(): Promise<Session> {
        const entry = await this.#store.read();
        return await this.#renewer.renew(entry?.session?.token ?? null);
    }

    /** What is known of the session at this moment: the same object until something changes. */
    get state(): AuthState {
        return this.#store.state;
    }

    /** Calls `listener` with each change, whichever tab made it, until the function that is returned is called. */
    onChange(listener: (state: AuthState) => void): () => void {
        return this.#store.listen(listener);
    }

    /** Listens to the other tabs no more. For tests and hot reloading; a page that goes needs none. */
    close(): void {
        this.#store.close();
    }

    async #signIn(path: string, body: object): Promise<Session> {
        const cookies = this.#store.kind === 'cookie';
        const ask = async () => {
            const askedAt = Date.now();
            return { grant: await this.#service.grant(path, { body, cookies }), askedAt };
        };
        const keep = async ({ grant, askedAt }: Awaited<ReturnType<typeof ask>>) => {
            await this.#delivered(grant);
            const session = sessionOf(grant, askedAt);
            await this.#store.put({ session, renewal: freshRenewal(this.#settings.randomKey()) }, 'signed-in');
            return session;
        };
        // A refresh under way would set the former session's cookie again, after the answer to this.
        if (cookies) return await this.#lock.run(async () => await keep(await ask()));
        const answer = await ask();
        return await this.#lock.run(() => keep(answer));
    }

    /** Says whether it was only now found out that the refresh token comes in a cookie. */
    async #delivered(grant: Grant): Promise<boolean> {
        if (grant.refreshToken !== null || this.#store.kind === 'cookie') return false;
        if (this.#settings.delivery === 'body' || isForeign(this.#settings.baseUrl)) {
            const message =
                'The answer has no refresh token. If it is in a cookie, give the option delivery: "cookie".';
            throw new AuthError('bad_answer', message);
        }
        await this.#store.forget();
        this.#store.use(cookieVault(this.#settings.storageKey, this.#settings.randomKey));
        return true;
    }

    async #request(method: string, path: string, body?: object, fetch = this.fetch): Promise<unknown> {
        const { baseUrl, timeout } = this.#settings;
        const init: RequestInit = { method, cache: 'no-store' };
        if (this.#store.kind === 'cookie') init.credentials = 'include';
        if (body !== undefined) {
            init.body = JSON.stringify(body);
            init.headers = { 'content-type': 'application/json' };
        }
        if ((await this.bearer.token()) === null) throw new AuthError('signed_out', 'Nobody is signed in.');
        const send = async (signal: AbortSignal) => readAnswer(await fetch(baseUrl + path, { ...init, signal }));
        return await within(timeout, send).catch(asAuthError);
    }

    /** Stores the user of an answer, unless somebody else is signed in by now. */
    async #keepUser(body: unknown): Promise<User> {
        const user = readUser(body);
        if (user === null) throw new AuthError('bad_answer', 'The answer has no user.');
        const known = this.#store.state.session?.user;
        if (JSON.stringify(known) === JSON.stringify(user)) return user;
        await this.#lock.run(async () => {
            const entry = await this.#store.read();
            if (entry?.session?.user.userId !== user.userId) return;
            await this.#store.put({ ...entry, session: { ...entry.session, user } }, 'user-changed');
        });
        return user;
    }
}

/** Whether a browser has thrown the service's cookie away: without the option it is asked to keep those of its origin only. */
function isForeign(baseUrl: string): boolean {
    const page = pageUrl();
    return page !== undefined && new URL(baseUrl).origin !== new URL(page).origin;
}
