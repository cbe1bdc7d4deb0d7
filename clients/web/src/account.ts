import { unlessAborted, within } from './abort.js';
import type { CallOptions, Names, PasswordChange } from './auth.js';
import { inTurn, type Core } from './core.js';
import { AuthError } from './errors.js';
import { readGrant, readRevoked, readSessions, readUser, type SessionInfo } from './formats.js';
import { AS_IT_IS, readAnswer } from './service.js';
import { sessionIdOf, type User } from './session.js';
import { begin } from './signin.js';

/** A request to one of the service's protected endpoints. */
interface Request {
    method: string;
    path: string;
    body?: object;
}

/**
 * Sends a request signed in, and once more with a renewed token if it was refused. A wrong password is refused with 401,
 * too, which is not about the token. `round` surrounds each attempt.
 */
async function call<T>(
    core: Core,
    { method, path, body }: Request,
    { signal }: CallOptions,
    round: (attempt: () => Promise<unknown>, token: string) => Promise<T>,
): Promise<T> {
    const { bearer, settings, store } = core;
    const url = new URL(settings.baseUrl + path);
    const send = async (token: string) => {
        const type = body === undefined ? {} : { 'content-type': 'application/json' };
        const init: RequestInit = {
            method,
            headers: { ...(await bearer.headers(token, url)), ...type },
            ...AS_IT_IS,
        };
        if (store.kind === 'cookie') init.credentials = 'include';
        if (body !== undefined) init.body = JSON.stringify(body);
        const exchange = async (signal: AbortSignal) => {
            const response = await settings.fetch(url.href, { ...init, signal });
            await bearer.received(response.headers);
            return await readAnswer(response, settings.baseUrl);
        };
        return await within(settings.timeout, exchange, signal);
    };
    const attempt = (token: string) => round(() => send(token), token);
    const token = await unlessAborted(bearer.token(), signal);
    if (token === null) throw new AuthError('signed_out', 'Nobody is signed in.');
    try {
        return await attempt(token);
    } catch (error) {
        const next = await unlessAborted(replacement(core, token, error, url), signal);
        if (next === null) throw error;
        return await attempt(next).catch((again: unknown) => {
            if (isRefusal(again)) bearer.refusedAgain(next, again.status, url);
            throw again;
        });
    }
}

async function replacement({ bearer }: Core, token: string, error: unknown, url: URL): Promise<string | null> {
    return isRefusal(error) ? await bearer.replacement(token, error.status, url) : null;
}

function isRefusal(error: unknown): error is AuthError & { status: number } {
    return error instanceof AuthError && error.status !== null && error.code !== 'invalid_credentials';
}

/** Ends every session of the user, on every device. */
export async function revokeAll(core: Core, options: CallOptions): Promise<number> {
    const body = await request(core, { method: 'POST', path: '/auth/revoke-all' }, options);
    const entry = await core.store.read();
    if (entry?.session != null) await core.store.end(entry.session, 'signed-out', { everywhere: true });
    return readRevoked(body) ?? 0;
}

export async function readMe(core: Core, options: CallOptions): Promise<User> {
    return await keepUser(core, await request(core, { method: 'GET', path: '/auth/me' }, options));
}

export async function updateMe(core: Core, names: Names, options: CallOptions): Promise<User> {
    return await keepUser(core, await request(core, { method: 'PATCH', path: '/auth/me', body: names }, options));
}

/**
 * Changes the password. The answer has tokens of a new session, and the former one ends with all others. It is stored
 * under the lock, or a refresh under way would find the former session ended. A service of an earlier version answers
 * with the number of sessions alone, and the session goes on.
 */
export async function changePassword(
    core: Core,
    { currentPassword, newPassword }: PasswordChange,
    options: CallOptions,
): Promise<number> {
    const { store, service } = core;
    const change = { method: 'POST', path: '/auth/password', body: { currentPassword, newPassword } };
    return await call(core, change, options, (attempt) =>
        inTurn(core, options.signal, async () => {
            const askedAt = Date.now();
            const answer = await attempt();
            const grant = readGrant(answer);
            if (grant !== null) {
                const { session } = (await store.read()) ?? { session: null };
                if (session?.user.userId === grant.user.userId) {
                    await begin(core, grant, askedAt, grant.user.email, sessionIdOf(session));
                } else if (grant.refreshToken !== null) {
                    // Signed out in the meantime: nobody is to be signed in by the new tokens.
                    const body = { refreshToken: grant.refreshToken };
                    await service.post('/auth/logout', { body, cookies: false }).catch(() => null);
                }
            }
            return readRevoked(answer) ?? 0;
        }),
    );
}

/** The user's live sessions, the one used last first. */
export async function listSessions(core: Core, options: CallOptions): Promise<SessionInfo[]> {
    const sessions = readSessions(await request(core, { method: 'GET', path: '/auth/sessions' }, options));
    if (sessions === null) throw new AuthError('bad_answer', 'The answer has no sessions.');
    return sessions;
}

export async function endSession(core: Core, sessionId: string, options: CallOptions): Promise<void> {
    const path = `/auth/sessions/${encodeURIComponent(sessionId)}`;
    await request(core, { method: 'DELETE', path }, options);
    const entry = await core.store.read();
    if (entry?.session != null && sessionIdOf(entry.session) === sessionId) {
        await core.store.end(entry.session, 'signed-out');
    }
}

async function request(core: Core, what: Request, options: CallOptions): Promise<unknown> {
    return await call(core, what, options, (attempt) => attempt());
}

/** Stores the user of an answer, unless somebody else is signed in by now. */
async function keepUser({ store, lock }: Core, body: unknown): Promise<User> {
    const user = readUser(body);
    if (user === null) throw new AuthError('bad_answer', 'The answer has no user.');
    if (JSON.stringify(store.state.session?.user) === JSON.stringify(user)) return user;
    await lock.run(async () => {
        const entry = await store.read();
        if (entry?.session?.user.userId !== user.userId) return;
        await store.put({ ...entry, session: { ...entry.session, user } }, 'user-changed');
    });
    return user;
}
