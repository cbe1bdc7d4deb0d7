import { within, type Signal } from './abort.js';
import { AuthError } from './errors.js';
import { readError, readGrant, type Grant } from './formats.js';
import type { Settings } from './options.js';

/** A request to one of the service's own endpoints. */
export interface Call {
    body?: object | undefined;
    headers?: Record<string, string>;
    /** Goes on when the page goes. */
    keepalive?: boolean;
    /** Carries the refresh cookie to another origin. */
    cookies: boolean;
    signal?: Signal;
}

/** Of every request to the service's own endpoints: a redirect would take a password or a token to somewhere else. */
export const AS_IT_IS = { cache: 'no-store', redirect: 'manual' } as const;

/** The service's endpoints that need no access token. */
export class Service {
    readonly #settings: Settings;

    constructor(settings: Settings) {
        this.#settings = settings;
    }

    /** Tokens, of a signup, a login or a refresh. Anything but a success is an {@link AuthError}. */
    async grant(path: string, call: Call): Promise<Grant> {
        const body = await this.post(path, call);
        const grant = readGrant(body);
        if (grant === null) throw new AuthError('bad_answer', 'The answer has no tokens.');
        return grant;
    }

    /** The JSON of a successful answer; `null` if it has none. Anything else is an {@link AuthError}. */
    async post(
        path: string,
        { body, headers = {}, keepalive = false, cookies, signal: caller }: Call,
    ): Promise<unknown> {
        const { baseUrl, timeout, fetch } = this.#settings;
        const send = async (signal: AbortSignal) => {
            const response = await fetch(baseUrl + path, {
                method: 'POST',
                headers: body === undefined ? headers : { ...headers, 'content-type': 'application/json' },
                ...(body === undefined ? {} : { body: JSON.stringify(body) }),
                credentials: cookies ? 'include' : 'same-origin',
                keepalive,
                ...AS_IT_IS,
                signal,
            });
            // Inside the time limit: an answer may stop in its middle.
            return await readAnswer(response, baseUrl);
        };
        return await within(timeout, send, caller);
    }
}

/** The JSON of a success, or the service's error as an exception. An answer that breaks off is no answer. */
export async function readAnswer(response: Response, baseUrl: string): Promise<unknown> {
    const { status, type, url } = response;
    if (type === 'opaqueredirect' || (status >= 300 && status < 400)) {
        const message = 'The service redirects the request, which is not followed. Correct the baseUrl.';
        throw new AuthError('bad_answer', message, { status: status === 0 ? null : status });
    }
    // React Native follows redirects all the same.
    if (url && !url.startsWith(`${new URL(baseUrl).origin}/`)) {
        throw new AuthError('bad_answer', 'The answer is of another origin than the service.', { status });
    }
    const text = await response.text();
    const body = json(text);
    if (!response.ok) throw readError(status, response.headers, body);
    if (body === undefined && text !== '') throw new AuthError('bad_answer', 'The answer is not JSON.');
    return body ?? null;
}

function json(text: string): unknown {
    try {
        return JSON.parse(text);
    } catch {
        return undefined;
    }
}
