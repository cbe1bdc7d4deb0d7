import { AuthError } from './errors.js';
import { claimsOf } from './jwt.js';
import type { Settings } from './options.js';
import { documentUrl } from './page.js';
import type { Renewer } from './renewer.js';
import { freshness } from './schedule.js';
import type { Session } from './session.js';
import type { SessionStore } from './store.js';

/**
 * What a way to send requests needs in order to send them signed in: `auth.fetch` and the axios adapter are made of it,
 * and so can be any other. Its methods need no `this`.
 */
export interface Bearer {
    /** Where a request goes: relative URLs as the browser takes them, or below the service outside a page. */
    readonly resolve: (url: string | URL) => URL;
    /** Whether the access token may be sent there. */
    readonly covers: (url: URL) => boolean;
    /**
     * The access token for a request, renewed if it has ended; `null` if nobody is signed in. One that is about to end
     * is given while the next one is fetched.
     */
    readonly token: () => Promise<string | null>;
    /**
     * The headers that sign a request in. To the service's own routes a browser sends the refresh token in its cookie,
     * which the authorizer may rotate: its key goes with it, as with a refresh.
     */
    readonly headers: (token: string, url: URL) => Promise<Record<string, string>>;
    /** Whether the next request is to carry the refresh token, in place of a refresh. */
    readonly carries: (session: Session) => boolean;
    /**
     * Sends a request that changes nothing with the refresh token, if it is about to be renewed and this is the moment;
     * `null` otherwise.
     */
    readonly carry: (
        token: string,
        send: (headers: Record<string, string>) => Promise<Response>,
    ) => Promise<Response | null>;
    /** Takes the tokens that an answer may carry. */
    readonly received: (headers: Headers) => Promise<void>;
    /**
     * A token to repeat a request with that was refused with a status of `renewOn`; `null` if the answer has to stand.
     * Throws if the session has ended, or cannot be renewed now.
     */
    readonly replacement: (token: string, status: number, url: URL) => Promise<string | null>;
    /** Tells what the repetition with `token` was answered with: renewing again does not help where it was refused again. */
    readonly refusedAgain: (token: string, status: number, url: URL) => void;
}

/** A token that was issued more recently, in milliseconds, says what is true now: a 403 is not about it. */
const MOMENTS = 10_000;

/** The {@link Bearer} of a client. */
export class SessionBearer implements Bearer {
    readonly #settings: Settings;
    readonly #store: SessionStore;
    readonly #renewer: Renewer;
    readonly #inBackground: boolean;
    /** Of this page: other tabs renew at other moments. */
    readonly #jitter = Math.random();
    /** Where a token that was renewed because of a refusal was refused again: renewing it once more would not help. */
    #inVain: { token: string; places: Set<string> } = { token: '', places: new Set() };

    constructor(settings: Settings, store: SessionStore, renewer: Renewer, inBackground: boolean) {
        this.#settings = settings;
        this.#store = store;
        this.#renewer = renewer;
        this.#inBackground = inBackground;
    }

    readonly resolve = (url: string | URL): URL => new URL(url, documentUrl() ?? `${this.#settings.baseUrl}/`);

    readonly covers = (url: URL): boolean => this.#settings.origins.has(url.origin);

    readonly token = async (): Promise<string | null> => {
        const entry = await this.#store.read();
        if (entry === null) return null;
        const { session, renewal } = entry;
        if (session === null) return this.#store.state.status === 'signed-out' ? null : await this.#byCookie();
        const state = freshness(session, Date.now(), this.#settings.margin, this.#jitter);
        if (state === 'over') return ofSameUser(await this.#renewer.renew(session.token), session.token);
        if (state === 'fresh' && !renewal.unanswered) return session.token;
        if (this.carries(session)) return session.token;
        const renewing = this.#renewer.renew(session.token);
        if (this.#inBackground) {
            // Whoever needs the next token hears of a failure.
            renewing.catch(() => null);
            return session.token;
        }
        return await this.#despiteFailure(renewing, session);
    };

    readonly headers = async (token: string, url: URL): Promise<Record<string, string>> => {
        const headers = { authorization: `Bearer ${token}` };
        const toService = url.href.startsWith(`${this.#settings.baseUrl}/auth/`);
        const entry = this.#store.kind === 'cookie' && toService ? await this.#store.read() : null;
        return entry ? { ...headers, 'x-refresh-idempotency-key': entry.renewal.idempotencyKey } : headers;
    };

    readonly carries = (session: Session): boolean =>
        this.#settings.sendRefreshToken && session.refreshToken !== null && this.#renewer.mayCarry(session.token);

    readonly carry: Bearer['carry'] = async (token, send) => {
        const session = this.#store.state.session;
        if (session?.token !== token || !this.carries(session)) return null;
        const state = freshness(session, Date.now(), this.#settings.margin, this.#jitter);
        return state === 'ending' ? await this.#renewer.carry(token, send) : null;
    };

    readonly received = (headers: Headers): Promise<void> => this.#renewer.take(headers);

    readonly replacement = async (token: string, status: number, url: URL): Promise<string | null> => {
        if (!this.#settings.renewOn.has(status) || (status === 403 && this.#isRecent(token))) return null;
        if (this.#inVain.token === token && this.#inVain.places.has(place(status, url))) return null;
        try {
            const next = ofSameUser(await this.#renewer.renew(token), token);
            // What has not helped there does not help because another place asked for it, too.
            if (this.#inVain.token === token) this.#inVain.token = next;
            return next === token ? null : next;
        } catch (error) {
            // 403 mostly says what it says: the caller's answer is that one, not that the service is away.
            if (status === 403 && error instanceof AuthError && error.temporary) return null;
            throw error;
        }
    };

    readonly refusedAgain = (token: string, status: number, url: URL): void => {
        if (!this.#settings.renewOn.has(status)) return;
        if (this.#inVain.token !== token) this.#inVain = { token, places: new Set() };
        this.#inVain.places.add(place(status, url));
    };

    #isRecent(token: string): boolean {
        const { session } = this.#store.state;
        if (session?.token !== token) return false;
        const age = Date.now() - session.storedAt;
        return age >= 0 && age < Math.min(MOMENTS, (session.expiresAt - session.storedAt) / 2);
    }

    /** With cookie delivery nobody knows whether there is a session before the service is asked. */
    async #byCookie(): Promise<string | null> {
        try {
            return (await this.#renewer.renew(null)).token;
        } catch (error) {
            if (error instanceof AuthError && error.code === 'signed_out') return null;
            throw error;
        }
    }

    async #despiteFailure(renewing: Promise<Session>, session: Session): Promise<string> {
        try {
            return ofSameUser(await renewing, session.token);
        } catch (error) {
            if (error instanceof AuthError && error.temporary) return session.token;
            throw error;
        }
    }
}

/** A request that was made for one user is not sent as another one, who has signed in in the meantime. */
function ofSameUser({ token }: Session, before: string): string {
    if (claimsOf(token).sub === claimsOf(before).sub) return token;
    throw new AuthError('signed_out', 'Somebody else has signed in.');
}

/**
 * Where renewing has not helped. 401 may be about the token at one API and not at another; 403 is about what the user may
 * do, of which a new token says the same everywhere.
 */
function place(status: number, url: URL): string {
    return status === 403 ? '403' : `${String(status)} ${url.origin}${url.pathname}`;
}
