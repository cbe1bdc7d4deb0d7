import type { Deliver } from './delivery.js';
import { AuthError } from './errors.js';
import { type Grant } from './formats.js';
import type { Lock } from './lock.js';
import type { Settings } from './options.js';
import { hasRenewed, withRenewed } from './renewed.js';
import { afterFailure, freshness, putOff } from './schedule.js';
import type { Service } from './service.js';
import { freshRenewal, type Entry, type Renewal, type Session } from './session.js';
import type { SessionStore } from './store.js';

/** Attempts of one call before it gives up and says why. The next call goes on where this one stopped. */
const ATTEMPTS = 3;

/** A caller is not kept waiting longer than this for the next attempt, in milliseconds. */
const PATIENCE = 5_000;

/**
 * A repetition that may still be on its way is over after this, in milliseconds: a function of the service runs for ten
 * seconds at most. Until then the successor of its token is not used, as the service would take it for a thief's.
 */
const SETTLING = 10_000;

/** What one attempt came to. */
type Outcome = { session: Session } | { wait: number; error: AuthError | null };

/**
 * Renews the session: one refresh at a time in this page and, under the lock, in all tabs.
 *
 * The rules are those of the service's `docs/refresh-protocol.md`: the key of a token goes with each refresh with that
 * token; a refresh without an answer is noted before it is sent and repeated before anything else; only the service's own
 * 400, 401 and 403 of the refresh endpoint end a session.
 */
export class Renewer {
    readonly #settings: Settings;
    readonly #service: Service;
    readonly #store: SessionStore;
    readonly #lock: Lock;
    readonly #delivered: Deliver;
    readonly #once: boolean;
    /** What the one renewal brought, if there is to be no other. */
    #renewed: Session | null = null;
    #underWay: Promise<Session> | null = null;
    /** When the machine last woke up or came online: failures before that say nothing about now. */
    #wokenAt = 0;
    /** The access token whose request carried the refresh token and brought nothing: the service does not renew. */
    #carriedInVain: string | null = null;

    constructor(
        settings: Settings,
        service: Service,
        store: SessionStore,
        lock: Lock,
        delivered: Deliver,
        once: boolean,
    ) {
        this.#settings = settings;
        this.#service = service;
        this.#store = store;
        this.#lock = lock;
        this.#delivered = delivered;
        this.#once = once;
    }

    /** A session with another access token than `stale`, from another tab if it has one. */
    renew(stale: string | null): Promise<Session> {
        if (this.#renewed !== null) return Promise.resolve(this.#renewed);
        this.#underWay ??= this.#run(stale)
            .catch((error: unknown) => this.#store.failed(error))
            .finally(() => {
                this.#underWay = null;
            });
        return this.#underWay;
    }

    /** The network may be back: the next attempt is not put off by earlier failures. */
    wake(): void {
        this.#wokenAt = Date.now();
    }

    /** Whether a request with this access token may carry the refresh token in place of a refresh. */
    mayCarry(token: string): boolean {
        return this.#underWay === null && token !== this.#carriedInVain;
    }

    /**
     * For a service with `RENEWAL=rotate`: the request that `send` sends carries the refresh token, and its answer may
     * have the next one. It counts as a refresh, so it is noted before it is sent. `null`: not now, send it without.
     */
    async carry(
        token: string,
        send: (headers: Record<string, string>) => Promise<Response>,
    ): Promise<Response | null> {
        return await this.#lock.tryRun(async () => {
            const entry = await this.#store.read();
            if (entry === null) return null;
            const { session, renewal } = entry;
            if (session?.refreshToken == null || session.token !== token) return null;
            const at = Date.now();
            if (renewal.unanswered || at < renewal.quietUntil || this.#putOff(renewal, at) > 0) return null;
            await this.#store.note({ session, renewal: { ...renewal, unanswered: true } });
            const response = await send({
                'x-refresh-token': session.refreshToken,
                'x-refresh-idempotency-key': renewal.idempotencyKey,
            });
            const now = await this.#store.read();
            if (now === null || tokenOf(now) !== session.refreshToken) return response;
            const answered = { session: now.session, renewal };
            const next = withRenewed(answered, response.headers, this.#settings.randomKey);
            if (next === null) this.#carriedInVain = token;
            const kept = next === null ? this.#store.note(answered) : this.#store.put(next, 'renewed');
            // The caller has an answer. What was not stored is asked for again.
            await kept.catch(() => null);
            return response;
        });
    }

    /** Takes a renewed access token from the headers of an answer, unless a refresh is under way, which brings a later one. */
    async take(headers: Headers): Promise<void> {
        if (!hasRenewed(headers) || this.#underWay !== null) return;
        await this.#lock.tryRun(async () => {
            const entry = await this.#store.read();
            const next = entry && withRenewed(entry, headers, this.#settings.randomKey);
            if (next !== null) await this.#store.put(next, 'renewed').catch(() => null);
            return null;
        });
    }

    async #run(stale: string | null): Promise<Session> {
        for (let attempt = 1; ; attempt += 1) {
            const outcome = await this.#lock.run(() => this.#attempt(stale));
            if ('session' in outcome) return outcome.session;
            const { wait, error } = outcome;
            if (error !== null && (attempt >= ATTEMPTS || wait > PATIENCE)) throw later(error, wait);
            // A timer leaves fractions off; an attempt before its time would be wasted.
            await new Promise((resolve) => setTimeout(resolve, wait + 1));
        }
    }

    /** Under the lock: whatever another tab has done since is in the storage, or told by the other tabs. */
    async #attempt(stale: string | null): Promise<Outcome> {
        let entry = await this.#store.read();
        if (!isOther(entry, stale)) {
            await this.#store.catchUp();
            // Nobody may have known better, and yet the session may have been ended by now.
            entry = await this.#store.read();
        }
        if (entry === null) throw new AuthError('signed_out', 'Nobody is signed in.');
        if (isOther(entry, stale)) return { session: entry.session };
        const { session, renewal } = entry;
        const now = Date.now();
        const quiet = Math.min(renewal.quietUntil - now, SETTLING);
        if (quiet > 0) {
            // Noted again, as it is longer if the clock was set back: the other request may still be on its way.
            await this.#store.note({ session, renewal: { ...renewal, quietUntil: now + quiet } });
            return { wait: quiet, error: null };
        }
        const wait = this.#putOff(renewal, now);
        if (wait > 0) {
            const error = new AuthError('temporarily_unavailable', 'The last refresh failed a moment ago.');
            return { wait, error };
        }
        await this.#store.note({ session, renewal: { ...renewal, unanswered: true } });
        return await this.#refresh(entry);
    }

    #putOff(renewal: Renewal, now: number): number {
        return putOff(renewal, now, this.#wokenAt);
    }

    async #refresh(entry: Entry): Promise<Outcome> {
        const sentAt = Date.now();
        const { session, renewal } = entry;
        const cookies = this.#store.kind === 'cookie';
        const body = session?.refreshToken == null ? undefined : { refreshToken: session.refreshToken };
        const headers = { 'idempotency-key': renewal.idempotencyKey, ...(cookies ? namedBy(session) : {}) };
        try {
            const grant = await this.#service.grant('/auth/refresh', { body, headers, cookies });
            return { session: await this.#keep(grant, entry, sentAt) };
        } catch (error) {
            if (!(error instanceof AuthError) || error.code === 'storage_failed') throw error;
            if (error.code === 'signed_out') throw error;
            if (isFinal(error)) return { session: await this.#end(entry, error) };
            return await this.#postpone(entry, error);
        }
    }

    /** Stores what a refresh brought, unless the session that it was for has been replaced or ended in the meantime. */
    async #keep(grant: Grant, presented: Entry, sentAt: number): Promise<Session> {
        const now = await this.#store.read();
        const moved = await this.#delivered(grant);
        const session = sessionOf(grant, sentAt);
        if (now !== null && tokenOf(now) === tokenOf(presented)) {
            const same = !moved && session.refreshToken !== null && session.refreshToken === tokenOf(presented);
            const key = same ? presented.renewal.idempotencyKey : this.#settings.randomKey();
            const quietUntil = presented.renewal.unanswered ? sentAt + SETTLING : 0;
            await this.#store.put({ session, renewal: freshRenewal(key, quietUntil) }, 'renewed');
            if (this.#once) this.#renewed = session;
            return session;
        }
        // Perhaps another tab has got the same successor at the same time: its key is the one that every tab uses.
        if (now?.session != null) return now.session;
        throw new AuthError('signed_out', 'The session was ended during its renewal.');
    }

    /** The service says that it is over. So it is, unless this tab has another one by now. */
    async #end(presented: Entry, cause: AuthError): Promise<Session> {
        const now = await this.#store.read();
        if (now?.session != null && tokenOf(now) !== tokenOf(presented)) return now.session;
        if (presented.session === null) {
            await this.#store.forget();
            this.#store.none();
            throw new AuthError('signed_out', 'Nobody is signed in.', { status: cause.status, cause });
        }
        const { status, requestId } = cause;
        const error = new AuthError('session_ended', cause.message, { status, requestId, cause });
        await this.#store.end(presented.session, 'session-ended', { error });
        throw error;
    }

    /** Nothing has been decided: the session stays, and the next attempt is put off. */
    async #postpone(presented: Entry, error: AuthError): Promise<Outcome> {
        const failedAt = Date.now();
        const unanswered = presented.renewal.unanswered || error.status === null;
        const before = { ...presented.renewal, unanswered };
        const renewal = afterFailure(before, failedAt, error.retryAfter, Math.random());
        const now = await this.#store.read();
        if (now !== null && tokenOf(now) === tokenOf(presented))
            await this.#store.note({ session: now.session, renewal });
        return { wait: renewal.retryAt - failedAt, error };
    }
}

/** Whether somebody else has done what is wanted: there is a token that is not `stale`, and holds. */
function isOther(entry: Entry | null, stale: string | null): entry is Entry & { session: Session } {
    if (entry?.session == null || entry.renewal.unanswered || entry.session.token === stale) return false;
    return freshness(entry.session, Date.now(), 0, 0) !== 'over';
}

/**
 * Names the session of a cookie by its access token, ended or not: a sibling host may have set further cookies of that
 * name, of other sessions.
 */
export function namedBy(session: Session | null): Record<string, string> {
    return session === null ? {} : { authorization: `Bearer ${session.token}` };
}

function tokenOf(entry: Entry): string | null {
    return entry.session?.refreshToken ?? null;
}

/** A session of tokens that were asked for at `askedAt`: a token ends sooner, rather than later, than the service thinks. */
export function sessionOf(grant: Grant, askedAt: number): Session {
    const { token, refreshToken, expiresIn, user } = grant;
    return { token, refreshToken, expiresAt: askedAt + expiresIn * 1000, user, storedAt: Date.now() };
}

/** How the service refuses a refresh for good: the session is over, or the request can never succeed. */
const FINAL: Record<number, string> = { 400: 'invalid_request', 401: 'invalid_grant', 403: 'forbidden' };

/** Whether it is the service that refuses. Any other answer decides nothing, as it may be a proxy's. */
function isFinal({ status, code }: AuthError): boolean {
    return FINAL[status ?? 0] === code;
}

function later(error: AuthError, wait: number): AuthError {
    const retryAfter = Math.max(1, Math.ceil(wait / 1000));
    const { code, message, status, requestId } = error;
    return new AuthError(code, message, { status, requestId, retryAfter, cause: error.cause });
}
