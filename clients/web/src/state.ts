import type { AuthError } from './errors.js';
import type { Session } from './session.js';

/**
 * Why a session changed. `restored`: it was found at the start (or none was). `signed-in`, `renewed`, `user-changed`,
 * `signed-out`: as they say. `session-ended`: the service refused to renew it, for it had run out, had been ended from
 * elsewhere, or a copy of its token had been used.
 */
export type ChangeReason = 'restored' | 'signed-in' | 'renewed' | 'user-changed' | 'signed-out' | 'session-ended';

/** The storage has not been read yet or, with cookie delivery, the service has not been asked. */
export interface UnknownState {
    readonly status: 'unknown';
    readonly session: null;
    readonly reason: null;
    /** Why the last attempt failed. The client makes further ones by itself. */
    readonly error: AuthError | null;
    readonly elsewhere: false;
}

/** A user is signed in. */
export interface SignedInState {
    readonly status: 'signed-in';
    readonly session: Session;
    readonly reason: 'restored' | 'signed-in' | 'renewed' | 'user-changed';
    readonly error: null;
    /** Whether another tab caused the change. */
    readonly elsewhere: boolean;
}

/** No user is signed in. */
export interface SignedOutState {
    readonly status: 'signed-out';
    readonly session: null;
    readonly reason: 'restored' | 'signed-out' | 'session-ended';
    /** Why the session ended, if the reason is `session-ended`. */
    readonly error: AuthError | null;
    /** Whether another tab caused the change. */
    readonly elsewhere: boolean;
}

/** The session at a moment, told apart by `status`. A new object with each change, the same one until then. */
export type AuthState = UnknownState | SignedInState | SignedOutState;

/** Before anything is known. */
export const UNKNOWN: UnknownState = {
    status: 'unknown',
    session: null,
    reason: null,
    error: null,
    elsewhere: false,
};

/** The state with this session, or without one. */
export function stateOf(
    session: Session | null,
    reason: ChangeReason,
    elsewhere: boolean,
    error: AuthError | null,
): AuthState {
    if (session === null) {
        const ended = reason === 'session-ended' || reason === 'restored' ? reason : 'signed-out';
        return {
            status: 'signed-out',
            session,
            reason: ended,
            error: ended === 'session-ended' ? error : null,
            elsewhere,
        };
    }
    const begun = reason === 'signed-out' || reason === 'session-ended' ? 'signed-in' : reason;
    return { status: 'signed-in', session, reason: begun, error: null, elsewhere };
}

/** Whether there is nothing to tell a listener. */
export function isSame(a: AuthState, b: AuthState): boolean {
    return (
        a.status === b.status &&
        a.session?.token === b.session?.token &&
        a.session?.refreshToken === b.session?.refreshToken &&
        JSON.stringify(a.session?.user) === JSON.stringify(b.session?.user) &&
        (a.status !== 'unknown' || a.error?.message === b.error?.message)
    );
}
