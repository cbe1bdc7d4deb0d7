import type { AuthError } from './errors.js';
import type { Session } from './session.js';

/**
 * Why a session changed. `restored`: it was found at the start (or none was). `signed-in`, `renewed`, `user-changed`,
 * `signed-out`: as they say. `session-ended`: the service refused to renew it, for it had run out, had been ended from
 * elsewhere, or a copy of its token had been used.
 */
export type ChangeReason = 'restored' | 'signed-in' | 'renewed' | 'user-changed' | 'signed-out' | 'session-ended';

/** What is known of the session at a moment. A new object with each change, the same one until then. */
export interface AuthState {
    /** `unknown` until the storage has been read, or, with cookie delivery, until the service has been asked. */
    readonly status: 'unknown' | 'signed-in' | 'signed-out';
    readonly session: Session | null;
    /** Why it is so; `null` at the start. */
    readonly reason: ChangeReason | null;
    /** Why the session ended, if the reason is `session-ended`. */
    readonly error: AuthError | null;
    /** Whether another tab did it. */
    readonly elsewhere: boolean;
}

/** Before anything is known. */
export const UNKNOWN: AuthState = {
    status: 'unknown',
    session: null,
    reason: null,
    error: null,
    elsewhere: false,
};

/** Whether there is nothing to tell a listener. */
export function isSame(a: AuthState, b: AuthState): boolean {
    return (
        a.status === b.status &&
        a.session?.token === b.session?.token &&
        a.session?.refreshToken === b.session?.refreshToken &&
        JSON.stringify(a.session?.user) === JSON.stringify(b.session?.user)
    );
}
