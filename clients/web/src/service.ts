import { within } from './deadline.js';
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
}

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
    async post(path: string, { body, headers = {}, keepalive = false, cookies }: Call): Promise<unknown> {
        const { baseUrl, timeout, fetch } = this.#settings;
        const send = async (signal: AbortSignal) => {
            const response = await fetch(baseUrl + path, {
                method: 'POST',
                headers: body === undefined ? headers : { ...headers, 'content-type': 'application/json' },
                ...(body === undefined ? {} : { body: JSON.stringify(body) }),
                credentials: cookies ? 'include' : 'same-origin',
                keepalive,
                cache: 'no-store',
                signal,
            });
            // Inside the time limit: an answer may stop in its middle.
            return await readAnswer(response);
        };
        return await within(timeout, send).catch(asAuthError);
    }
}

/** A request without an answer, said as an {@link AuthError}. */
export function asAuthError(cause: unknown): never {
    if (cause instanceof AuthError) throw cause;
    throw new AuthError('network_error', 'The service does not answer.', { cause });
}

/** Whether an answer is a 401 that is about a password, and not about the token. The answer can still be read. */
export async function isWrongPassword(response: Response): Promise<boolean> {
    if (response.status !== 401) return false;
    const body = json(await response.clone().text());
    return readError(response.status, response.headers, body).code === 'invalid_credentials';
}

/** The JSON of a success, or the service's error as an exception. An answer that breaks off is no answer. */
export async function readAnswer(response: Response): Promise<unknown> {
    const text = await response.text();
    const body = json(text);
    if (!response.ok) throw readError(response.status, response.headers, body);
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
