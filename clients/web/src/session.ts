import { claimsOf } from './jwt.js';

/** A user. A name that was not given is `null`. */
export interface User {
    userId: string;
    email: string;
    displayName: string | null;
    firstName: string | null;
    lastName: string | null;
    emailVerified: boolean;
}

/** A session as this client keeps it. Times are epoch milliseconds by this machine's clock. */
export interface Session {
    /** The access token. */
    readonly token: string;
    /** The refresh token; `null` with cookie delivery, where no script can see it. */
    readonly refreshToken: string | null;
    /** When the access token ends, reckoned from when it was asked for, so that a wrong clock does no harm. */
    readonly expiresAt: number;
    readonly user: User;
    /** When the access token was stored. */
    readonly storedAt: number;
}

/** What is known of the renewals of a refresh token. It is stored beside the token, for every tab and the next page load. */
export interface Renewal {
    /** Sent with every refresh with this token, so that a repetition gets the same answer. Random, and of this token only. */
    readonly idempotencyKey: string;
    /** A refresh was sent and its answer is not here: it is repeated before anything else is done. */
    readonly unanswered: boolean;
    /** Attempts in a row that came to nothing. */
    readonly failures: number;
    /** No attempt before this time. */
    readonly retryAt: number;
    /** When that was noted. Earlier versions did not say. */
    readonly failedAt?: number;
    /** Whether the service asked for that wait (`Retry-After`). */
    readonly asked?: boolean;
    /** The refresh token is not used before this time, as a repetition for its predecessor may still be on its way. */
    readonly quietUntil: number;
}

/** What a vault holds. With cookie delivery there may be a session that this tab has no access token of yet. */
export interface Entry {
    readonly session: Session | null;
    readonly renewal: Renewal;
}

/** The renewal state of a refresh token that has just arrived. */
export function freshRenewal(idempotencyKey: string, quietUntil = 0): Renewal {
    return { idempotencyKey, unanswered: false, failures: 0, retryAt: 0, quietUntil };
}

/**
 * Whether `a` is a later state of the session of `b`: a later generation of its refresh token, or the same one with a
 * later access token. Sessions of two logins are not comparable.
 */
export function isNewer(a: Session, b: Session): boolean {
    const [ofA, ofB] = [claimsOf(a.refreshToken), claimsOf(b.refreshToken)];
    if (!isSameSession(a, b)) return false;
    if (ofA.gen !== null && ofB.gen !== null && ofA.gen !== ofB.gen) return ofA.gen > ofB.gen;
    const [endOfA, endOfB] = [claimsOf(a.token).exp ?? 0, claimsOf(b.token).exp ?? 0];
    return endOfA === endOfB ? a.storedAt > b.storedAt : endOfA > endOfB;
}

/** Whether both come from one login. */
export function isSameSession(a: Session, b: Session): boolean {
    const sid = sessionIdOf(a);
    return sid !== null && sid === sessionIdOf(b);
}

/** The service's id of a session. */
export function sessionIdOf(session: Session): string | null {
    return claimsOf(session.token).sid ?? claimsOf(session.refreshToken).sid;
}

/**
 * The device tokens of the last users of this device, the latest first. They are stored beside the session and survive a
 * logout. Which user one belongs to is a hash of the address: no address is left behind.
 */
export type Devices = readonly (readonly [user: string, token: string])[];

/** As they are stored: the session, and its renewals and the device tokens in one member more each. */
export function serialise(entry: Entry | null, devices: Devices = []): string {
    const { session, renewal } = entry ?? {};
    return JSON.stringify({ ...session, renewal, ...(devices.length > 0 ? { devices } : {}) });
}

/** The session that was stored; `null` if it is not what this client stores. */
export function parse(text: string | null | undefined): Entry | null {
    const { renewal, ...session } = stored(text) as Session & { renewal?: Renewal; devices?: unknown };
    delete session.devices;
    return entryOf(session, renewal);
}

/** The device tokens that were stored. */
export function devicesIn(text: string | null | undefined): Devices {
    const { devices } = stored(text) as { devices?: unknown };
    return isDevices(devices) ? devices : [];
}

function stored(text: string | null | undefined): object {
    try {
        const value: unknown = JSON.parse(text ?? '{}');
        return typeof value === 'object' && value !== null ? value : {};
    } catch {
        return {};
    }
}

function entryOf(session: Session, renewal: Renewal | undefined): Entry | null {
    const { token, refreshToken, expiresAt, storedAt, user } = session as Partial<Session>;
    const whole =
        typeof token === 'string' &&
        typeof refreshToken === 'string' &&
        typeof expiresAt === 'number' &&
        typeof storedAt === 'number' &&
        typeof user?.userId === 'string' &&
        typeof renewal?.idempotencyKey === 'string';
    return whole ? { session, renewal: { ...freshRenewal(''), ...renewal } } : null;
}

function isDevices(value: unknown): value is Devices {
    const isPair = (pair: unknown) => Array.isArray(pair) && pair.every((text) => typeof text === 'string');
    return Array.isArray(value) && value.every(isPair);
}
