import { AuthError, type AuthErrorCode } from './errors.js';
import type { User } from './session.js';

/** Tokens as the service hands them out. */
export interface Grant {
    token: string;
    /** `null`: it came in a cookie. */
    refreshToken: string | null;
    /** Names this device to the rate limits of later logins. Missing, if it came in a cookie or the service issues none. */
    deviceToken: string | undefined;
    /** Seconds. */
    expiresIn: number;
    user: User;
}

/** A repeated refresh of a session. The time is epoch milliseconds by the service's clock. */
export interface SessionReplay {
    at: number;
    ip: string;
    userAgent: string;
}

/** A session in the service's list. Times are epoch milliseconds by the service's clock. */
export interface SessionInfo {
    sessionId: string;
    createdAt: number;
    lastUsedAt: number;
    expiresAt: number;
    ip: string;
    userAgent: string;
    /**
     * The last time that a superseded refresh token was presented with its `Idempotency-Key` after the grace period, and the
     * client that presented it. `null` if that never happened.
     */
    lastReplay: SessionReplay | null;
    /** Whether it is the session that asks. */
    current: boolean;
}

type Members = Record<string, unknown>;

/**
 * Reads tokens in any of the service's four formats: each has the same data, in `camelCase` or `snake_case`, plain or
 * inside `data`, and `authorization` puts the tokens into a member of their own.
 */
export function readGrant(body: unknown): Grant | null {
    const data = unwrap(body);
    const user = readUser(body);
    if (data === null || user === null) return null;
    const tokens = members(data['authorization']) ?? data;
    const token = text(tokens, 'accessToken');
    const expiresIn = member(tokens, 'expiresIn');
    if (token === null || typeof expiresIn !== 'number') return null;
    const deviceToken = text(tokens, 'deviceToken') ?? text(data, 'deviceToken') ?? undefined;
    return { token, refreshToken: text(tokens, 'refreshToken'), deviceToken, expiresIn, user };
}

/** Reads the user of an answer in any format. */
export function readUser(body: unknown): User | null {
    const user = members(unwrap(body)?.['user']);
    if (user === null) return null;
    const userId = text(user, 'userId') ?? text(user, 'id');
    const email = text(user, 'email');
    if (userId === null || email === null) return null;
    return {
        userId,
        email,
        displayName: text(user, 'displayName'),
        firstName: text(user, 'firstName'),
        lastName: text(user, 'lastName'),
        emailVerified: member(user, 'emailVerified') === true,
    };
}

/** Reads a list of sessions in any format. */
export function readSessions(body: unknown): SessionInfo[] | null {
    const list = unwrap(body)?.['sessions'];
    if (!Array.isArray(list)) return null;
    return list.map(members).flatMap((session) => (session === null ? [] : [readSession(session)]));
}

function readSession(session: Members): SessionInfo {
    const time = (name: string) => Number(member(session, name)) * 1000;
    return {
        sessionId: text(session, 'sessionId') ?? '',
        createdAt: time('createdAt'),
        lastUsedAt: time('lastUsedAt'),
        expiresAt: time('expiresAt'),
        ip: text(session, 'ip') ?? '',
        userAgent: text(session, 'userAgent') ?? '',
        lastReplay: readReplay(members(member(session, 'lastReplay'))),
        current: session['current'] === true,
    };
}

function readReplay(replay: Members | null): SessionReplay | null {
    if (replay === null) return null;
    const at = Number(member(replay, 'at')) * 1000;
    return { at, ip: text(replay, 'ip') ?? '', userAgent: text(replay, 'userAgent') ?? '' };
}

/** Reads the number of sessions that were ended, in any format. */
export function readRevoked(body: unknown): number | null {
    const count = member(unwrap(body) ?? {}, 'revokedSessions');
    return typeof count === 'number' ? count : null;
}

/** The error of an answer that is not a success. One without a code and a request id, as the service gives, is `bad_answer`. */
export function readError(status: number, headers: Headers, body: unknown): AuthError {
    const answer = members(body) ?? {};
    const nested = members(answer['error']) ?? {};
    const code = text(nested, 'code') ?? text(answer, 'error');
    const message = text(nested, 'message') ?? text(answer, 'errorDescription') ?? text(answer, 'message');
    const requestId = text(answer, 'requestId');
    const details = { status, retryAfter: readRetryAfter(headers), requestId };
    if (code === null || requestId === null)
        return new AuthError('bad_answer', `The answer ${String(status)} is not the service's.`, details);
    return new AuthError(code as AuthErrorCode, message ?? code, details);
}

/** `Retry-After` in seconds; it may also be a date (RFC 9110 §10.2.3). */
function readRetryAfter(headers: Headers): number | null {
    const value = headers.get('retry-after');
    if (!value) return null;
    const seconds = Number.isNaN(Number(value)) ? (Date.parse(value) - Date.now()) / 1000 : Number(value);
    return Number.isNaN(seconds) ? null : Math.max(0, Math.ceil(seconds));
}

function unwrap(body: unknown): Members | null {
    const answer = members(body);
    return answer?.['success'] === true ? members(answer['data']) : answer;
}

function members(value: unknown): Members | null {
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Members) : null;
}

/** A member by its name in camel case, in either spelling. */
function member(object: Members, name: string): unknown {
    return object[name] ?? object[name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)];
}

function text(object: Members, name: string): string | null {
    const value = member(object, name);
    return typeof value === 'string' ? value : null;
}
