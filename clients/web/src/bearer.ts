import { AuthError } from './errors.js';
import { claimsOf } from './jwt.js';
import { documentUrl, type Settings } from './options.js';
import type { Renewer } from './renewer.js';
import { freshness } from './schedule.js';
import type { Session } from './session.js';
import type { SessionStore } from './store.js';

/**
 * What a way to send requests needs in order to send them signed in: `auth.fetch` and the axios adapter are made of it,
 * and so can be any other.
 */
export class Bearer {
    readonly #settings: Settings;
    readonly #store: SessionStore;
    readonly #renewer: Renewer;
    readonly #inBackground: boolean;
    /** Of this page: other tabs renew at other moments. */
    readonly #jitter = Math.random();
    /** Where a token that was renewed because of a refusal was refused again: renewing it once more would not help. */
    #inVain: { token: string; places: Set<string> } = { token: '', places: new Set() };

    /** @internal */
    constructor(settings: Settings, store: SessionStore, renewer: Renewer, inBackground: boolean) {
        this.#settings = settings;
        this.#store = store;
        this.#renewer = renewer;
        this.#inBackground = inBackground;
    }

    /** Where a request goes: relative URLs as the browser takes them, or below the service outside a page. */
    resolve(url: string | URL): URL {
        return new URL(url, documentUrl() ?? `${this.#settings.baseUrl}/`);
    }

    /** Whether the access token may be sent there. */
    covers(url: URL): boolean {
        return this.#settings.origins.has(url.origin);
    }

    /**
     * The access token for a request, renewed if it has ended; `null` if nobody is signed in. One that is about to end
     * is given while the next one is fetched.
     */
    async token(): Promise<string | null> {
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
    }

    /**
     * The headers that sign a request in. To the service's own routes a browser sends the refresh token in its cookie,
     * which the authorizer may rotate: its key goes with it, as with a refresh.
     */
    async headers(token: string, url: URL): Promise<Record<string, string>> {
        const headers = { authorization: `Bearer ${token}` };
        const toService = url.href.startsWith(`${this.#settings.baseUrl}/auth/`);
        const entry = this.#store.kind === 'cookie' && toService ? await this.#store.read() : null;
        return entry ? { ...headers, 'x-refresh-idempotency-key': entry.renewal.idempotencyKey } : headers;
    }

    /** Whether the next request is to carry the refresh token, in place of a refresh. */
    carries(session: Session): boolean {
        return (
            this.#settings.sendRefreshToken &&
            session.refreshToken !== null &&
            this.#renewer.mayCarry(session.token)
        );
    }

    /**
     * Sends a request that changes nothing with the refresh token, if it is about to be renewed and this is the moment;
     * `null` otherwise.
     */
    async carry(
        token: string,
        send: (headers: Record<string, string>) => Promise<Response>,
    ): Promise<Response | null> {
        const session = this.#store.state.session;
        if (session?.token !== token || !this.carries(session)) return null;
        const state = freshness(session, Date.now(), this.#settings.margin, this.#jitter);
        return state === 'ending' ? await this.#renewer.carry(token, send) : null;
    }

    /** Takes the tokens that an answer may carry. */
    async received(headers: Headers): Promise<void> {
        await this.#renewer.take(headers);
    }

    /**
     * A token to repeat a request with that was answered with 401 or 403; `null` if the answer has to stand. Throws if
     * the session has ended, or cannot be renewed now.
     */
    async replacement(token: string, status: number, url: URL): Promise<string | null> {
        if (status !== 401 && status !== 403) return null;
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
    }

    /** The repetition with `token` was refused as well. */
    refusedAgain(token: string, status: number, url: URL): void {
        if (this.#inVain.token !== token) this.#inVain = { token, places: new Set() };
        this.#inVain.places.add(place(status, url));
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

function place(status: number, url: URL): string {
    return `${String(status)} ${url.origin}${url.pathname}`;
}
