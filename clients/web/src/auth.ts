import type { Bearer } from './bearer.js';
import type { SessionInfo } from './formats.js';
import type { Session, User } from './session.js';
import type { AuthState } from './state.js';

/** What a user gives to sign in. */
export interface Credentials {
    email: string;
    password: string;
}

/** What a user gives to sign up. */
export interface Signup extends Credentials {
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

/** Of each call. */
export interface CallOptions {
    /** Ends the call, which throws the signal's reason. A renewal that other calls wait for as well goes on. */
    signal?: AbortSignal | null | undefined;
}

/** A client: one session, and requests with it. Made by `createAuth`. Its methods need no `this`. */
export interface Auth {
    /** As the global `fetch`, and signed in: nobody notices that a token ends. */
    readonly fetch: typeof globalThis.fetch;
    /** For other ways to send requests than `fetch`. */
    readonly bearer: Bearer;
    /** What is known of the session at this moment: the same object until something changes. */
    readonly state: AuthState;
    /** Creates a user, and signs them in. */
    readonly signup: (signup: Signup, options?: CallOptions) => Promise<Session>;
    /** Signs a user in. Throws `invalid_credentials` for an unknown address and a wrong password alike. */
    readonly login: (credentials: Credentials, options?: CallOptions) => Promise<Session>;
    /**
     * Signs out: here and in the other tabs at once, then at the service. Throws if the service cannot be told; its
     * session then lives until it runs out, but nobody is signed in here.
     */
    readonly logout: (options?: CallOptions) => Promise<void>;
    /** Ends every session of the user, on every device, and says how many there were. */
    readonly revokeAll: (options?: CallOptions) => Promise<number>;
    /** The user, from the service. */
    readonly me: (options?: CallOptions) => Promise<User>;
    /** Changes names of the user. */
    readonly updateMe: (names: Names, options?: CallOptions) => Promise<User>;
    /**
     * Changes the password and ends every session of the user, on every device; says how many others there were. The
     * user stays signed in here, in a new session. Throws `invalid_credentials` if the current password is wrong, and
     * `weak_password` for the new one; nobody is signed out by either. After an error that is `temporary` the change may
     * have taken effect: if the same call throws `session_ended` then, the user signs in with the new password.
     */
    readonly changePassword: (passwords: PasswordChange, options?: CallOptions) => Promise<number>;
    /** The user's live sessions, the one used last first. */
    readonly sessions: (options?: CallOptions) => Promise<SessionInfo[]>;
    /** Ends one of the user's sessions. If it is this one, nobody is signed in afterwards. */
    readonly endSession: (sessionId: string, options?: CallOptions) => Promise<void>;
    /**
     * The session, as it is stored; `null` if nobody is signed in. With cookie delivery the first call of a page asks
     * the service. A renewal that a reload has cut off is repeated. If the first look fails, it throws, the error is in
     * `state`, and the client looks again by itself.
     */
    readonly session: (options?: CallOptions) => Promise<Session | null>;
    /** Renews the session now, whether it is time or not. */
    readonly renew: (options?: CallOptions) => Promise<Session>;
    /**
     * A valid access token, for what takes no `fetch`: WebSockets, upload libraries. It is renewed first if it has ended
     * or is about to, by one refresh for all callers. Throws `signed_out` if nobody is signed in.
     */
    readonly getAccessToken: (options?: CallOptions) => Promise<string>;
    /** Calls `listener` with each change, whichever tab made it, until the function that is returned is called. */
    readonly onChange: (listener: (state: AuthState) => void) => () => void;
    /** Listens to the other tabs no more. For tests and hot reloading; a page that goes needs none. */
    readonly close: () => void;
}
