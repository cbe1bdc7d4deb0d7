import type { Bearer } from './bearer.js';
import { AuthError } from './errors.js';
import { replayable, unlessAborted, type Replay } from './replay.js';

/** Whether an answer has to stand: the token is not what was refused. */
export type Stands = (response: Response) => Promise<boolean>;

/**
 * A `fetch` that sends requests signed in. Requests to origins that are not configured, and those with an
 * `Authorization` header of their own, are sent as they are. Answers that `stands` knows are not repeated.
 */
export function authorizedFetch(
    bearer: Bearer,
    fetch: typeof globalThis.fetch,
    stands: Stands = () => Promise.resolve(false),
): typeof globalThis.fetch {
    return async (input, init) => {
        const request = replayable(fetch, (url) => bearer.resolve(url), input, init);
        const { url } = request;
        if (!bearer.covers(url) || request.isAuthorized) return await request.send({});
        const token = await unlessAborted(bearer.token(), request.signal);
        if (token === null) return await request.send({});
        const response = await sendWith(bearer, request, url, token);
        if (await stands(response)) return response;
        const next = await unlessAborted(bearer.replacement(token, response.status, url), request.signal);
        if (next === null) return response;
        if (request.isStream) throw notReplayable(response.status);
        await response.body?.cancel();
        const repeated = await sendWith(bearer, request, url, next);
        const refused = repeated.status === 401 || repeated.status === 403;
        if (refused && !(await stands(repeated))) bearer.refusedAgain(next, repeated.status, url);
        return repeated;
    };
}

/** Takes the tokens that the answer carries, too. */
async function sendWith(bearer: Bearer, request: Replay, url: URL, token: string): Promise<Response> {
    const carried = request.isSafe ? await carry(bearer, request, token) : null;
    const response = carried ?? (await request.send(await bearer.headers(token, url)));
    await bearer.received(response.headers);
    return response;
}

/**
 * Sends it with the refresh token as well, if that is to be renewed this way. A browser takes `Authorization` off a
 * redirect to another origin, but no other header: a redirect is therefore not followed, but asked for again without.
 */
async function carry(bearer: Bearer, request: Replay, token: string): Promise<Response | null> {
    const response = await bearer.carry(token, (headers) =>
        request.send({ ...headers, authorization: `Bearer ${token}` }, { redirect: 'manual' }),
    );
    const isRedirect = response?.type === 'opaqueredirect' || Math.floor((response?.status ?? 0) / 100) === 3;
    return isRedirect && response?.status !== 304 ? null : response;
}

function notReplayable(status: number): AuthError {
    const message =
        'The token was renewed, but the body is a stream, which cannot be sent twice. Send the request again.';
    return new AuthError('not_replayable', message, { status });
}
