import type { Renewal, Session } from './session.js';

/** The longest wait between two attempts, in milliseconds, unless the service asks for more. */
const LONGEST = 30_000;

/** The longest that is waited if somebody asks for more, in seconds: it may be a proxy, for a day. */
const LONGEST_ASKED = 300;

/** Clocks of two tabs' processes differ by less, in milliseconds. */
const CLOCK_TOLERANCE = 10_000;

/** How far an access token is. */
export type Freshness = 'fresh' | 'ending' | 'over';

/**
 * Whether an access token is to be renewed at `now`. `ending`: it still does, while the next one is fetched. `over`: it
 * has ended, or would have on its way. The margin is a fifth of its life at most, or a token of a minute would always
 * be renewed; `jitter` (0 to 1) spreads the tabs and the users.
 */
export function freshness(session: Session, now: number, margin: number, jitter: number): Freshness {
    const life = session.expiresAt - session.storedAt;
    if (wasSetBack(now, session.storedAt)) return 'over';
    const rest = session.expiresAt - now;
    if (rest <= Math.min(5_000, life / 20)) return 'over';
    return rest <= Math.min(margin, life / 5) * (0.8 + 0.4 * jitter) ? 'ending' : 'fresh';
}

/** What is known after one more attempt that came to nothing: a longer wait each time, and as long as is asked for. */
export function afterFailure(renewal: Renewal, now: number, retryAfter: number | null, jitter: number): Renewal {
    const failures = renewal.failures + 1;
    const wait = Math.min(LONGEST, 500 * 2 ** Math.min(failures, 10)) * (0.5 + 0.5 * jitter);
    const asked = Math.min(retryAfter ?? 0, LONGEST_ASKED) * 1000;
    return { ...renewal, failures, failedAt: now, asked: asked > 0, retryAt: now + Math.max(wait, asked) };
}

/**
 * For how many milliseconds more the next attempt is put off. A failure from before the machine woke up, at `wokenAt`,
 * puts nothing off, unless the service asked for it.
 */
export function putOff({ retryAt, failedAt = Infinity, asked = true }: Renewal, now: number, wokenAt = 0): number {
    const isOver = !asked && failedAt <= wokenAt;
    return isOver || wasSetBack(now, failedAt) ? 0 : Math.max(0, retryAt - now);
}

/** Whether the clock was set back since `then`: it says nothing about what was stored before. */
function wasSetBack(now: number, then: number): boolean {
    return now < then - CLOCK_TOLERANCE;
}
