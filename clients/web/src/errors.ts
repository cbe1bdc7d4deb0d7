/**
 * What the service says is wrong (`error` of its answers), and what this client finds out by itself.
 *
 * Of the client: `network_error` (no answer, or not in time), `bad_answer` (an answer that is not the service's),
 * `signed_out` (nobody is signed in any more, or somebody else is), `session_ended` (the service refused to renew it; the user signs in again),
 * `not_replayable` (a request whose body is a stream was refused and cannot be sent a second time), `storage_failed`
 * (the session could not be stored or read).
 */
export type AuthErrorCode =
    | 'invalid_request'
    | 'weak_password'
    | 'invalid_credentials'
    | 'invalid_grant'
    | 'invalid_token'
    | 'forbidden'
    | 'not_found'
    | 'email_taken'
    | 'payload_too_large'
    | 'unsupported_media_type'
    | 'too_many_attempts'
    | 'internal_error'
    | 'temporarily_unavailable'
    | 'network_error'
    | 'bad_answer'
    | 'signed_out'
    | 'session_ended'
    | 'not_replayable'
    | 'storage_failed';

/** More about an {@link AuthError}. */
export interface AuthErrorDetails {
    status?: number | null;
    retryAfter?: number | null;
    requestId?: string | null;
    cause?: unknown;
}

/** Every error that this package throws of its own accord. */
export class AuthError extends Error {
    override readonly name = 'AuthError';
    /** What is wrong. */
    readonly code: AuthErrorCode;
    /** The status of the answer; `null` if there was none. */
    readonly status: number | null;
    /** After how many seconds it is worth trying again; `null` if nobody said. */
    readonly retryAfter: number | null;
    /** The id under which the service's log knows the request; `null` if there was no answer. */
    readonly requestId: string | null;

    constructor(code: AuthErrorCode, message: string, details: AuthErrorDetails = {}) {
        super(message, details.cause === undefined ? undefined : { cause: details.cause });
        this.code = code;
        this.status = details.status ?? null;
        this.retryAfter = details.retryAfter ?? null;
        this.requestId = details.requestId ?? null;
    }

    /** The package may be loaded twice, as ES modules and by `require`: an error of either is one. */
    static override [Symbol.hasInstance](value: unknown): boolean {
        return value instanceof Error && value.name === 'AuthError' && 'requestId' in value;
    }

    /** Whether the same call may succeed a little later: no answer, 429 or 5xx. Nobody is signed out by such an error. */
    get temporary(): boolean {
        return TEMPORARY.has(this.code) || this.status === 429 || (this.status ?? 0) >= 500;
    }
}

const TEMPORARY: ReadonlySet<AuthErrorCode> = new Set(['network_error', 'bad_answer', 'temporarily_unavailable']);
