import { unlessAborted } from './abort.js';
import type { Bearer } from './bearer.js';
import { AuthError } from './errors.js';
import { replayable, type Replay } from './replay.js';

/**
 * A `fetch` that sends requests signed in. Requests to origins that are not configured, and those with an
 * `Authorization` header of their own, are sent as they are.
 */
export function authorizedFetch(bearer: Bearer, fetch: typeof globalThis.fetch): typeof globalThis.fetch {
    return async (input, init) => {
        const request = replayable(fetch, (url) => bearer.resolve(url), input, init);
        const { url } = request;
        if (!bearer.covers(url) || request.isAuthorized) return await request.send({});
        const token = await unlessAborted(bearer.token(), request.signal);
        if (token === null) return await request.send({});
        const response = await sendWith(bearer, request, url, token);
        const next = await unlessAborted(bearer.replacement(token, response.status, url), request.signal);
        if (next === null) return response;
        if (request.isStream) throw notReplayable(response.status);
        void discard(response);
        const repeated = await sendWith(bearer, request, url, next);
        bearer.refusedAgain(next, repeated.status, url);
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
    if (!isRedirect || response?.status === 304) return response;
    void discard(response);
    return null;
}

/**
 * Lets go of an answer that nobody reads. Nobody waits for that: if the body is one half of a tee, as in the Next.js App
 * Router, its `cancel()` settles with that of the other half, which may be never.
 */
async function discard(response: Response | null): Promise<void> {
    // node-fetch has streams of Node.js; React Native has none.
    const body = response?.body as { cancel?(): unknown; destroy?(): unknown } | null | undefined;
    try {
        await (body?.cancel ? body.cancel() : body?.destroy?.());
    } catch {
        // Somebody else reads it.
    }
}

function notReplayable(status: number): AuthError {
    const message =
        'The token was renewed, but the body is a stream, which cannot be sent twice. Send the request again.';
    return new AuthError('not_replayable', message, { status });
}
