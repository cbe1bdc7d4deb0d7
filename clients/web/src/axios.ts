/**
 * axios: `attach(axios.create(…), auth)` makes its requests signed in.
 *
 * @packageDocumentation
 */
import {
    CanceledError,
    getAdapter,
    type AxiosAdapter,
    type AxiosInstance,
    type AxiosResponse,
    type InternalAxiosRequestConfig as Config,
} from 'axios';

import type { Auth } from './auth.js';
import { AuthError } from './errors.js';

/** The headers in which an answer carries renewed tokens. */
const RENEWED = ['x-new-token', 'x-new-access-token', 'x-new-refresh-token'];

/**
 * Adds the access token to the requests of `instance` by the rules of `auth.fetch`, and repeats one that was refused
 * with a renewed token, once. The function that is returned takes that back.
 */
export function attach(instance: AxiosInstance, auth: Auth): () => void {
    const { bearer } = auth;
    const authorize = (config: Config): Config => {
        // As the adapter: interceptors and transformations see one request and its last answer, in whatever order they are.
        const adapter = getAdapter(config.adapter ?? instance.defaults.adapter, config);
        const send: AxiosAdapter = async (prepared) => {
            const url = bearer.resolve(instance.getUri(prepared));
            const asIs = prepared.headers.has('authorization') || !bearer.covers(url);
            return await (asIs ? adapter(prepared) : sendSignedIn(auth, adapter, prepared, url));
        };
        return { ...config, adapter: send };
    };
    const requests = instance.interceptors.request.use(authorize);
    return () => {
        instance.interceptors.request.eject(requests);
    };
}

async function sendSignedIn(
    { bearer }: Auth,
    adapter: AxiosAdapter,
    config: Config,
    url: URL,
): Promise<AxiosResponse> {
    /** What it came to, which may be an error that has an answer. */
    const send = async (token: string) => {
        const headers = config.headers.concat(await bearer.headers(token, url));
        config.cancelToken?.throwIfRequested();
        if (config.signal?.aborted) throw new CanceledError(undefined, undefined, config);
        const outcome = adapter({ ...config, headers });
        const error = await outcome.then(
            (response) => ({ response }),
            (failed: unknown) => failed as { response?: AxiosResponse; config?: Config },
        );
        const { response } = error;
        // An application that sends it once more is to send it with another token.
        if ('config' in error) error.config = config;
        if (response !== undefined) {
            response.config = config;
            await bearer.received(renewedIn(response));
        }
        return { outcome, status: response?.status ?? 0 };
    };

    const token = await bearer.token();
    if (token === null) return await adapter(config);
    const first = await send(token);
    const next = await bearer.replacement(token, first.status, url);
    if (next === null) return await first.outcome;
    if (isStream(config.data)) {
        const message = 'The token was renewed, but the body is a stream, which cannot be sent twice.';
        throw new AuthError('not_replayable', message, { status: first.status });
    }
    const { outcome, status } = await send(next);
    if (status === 401 || status === 403) bearer.refusedAgain(next, status, url);
    return await outcome;
}

function renewedIn(response: AxiosResponse): Headers {
    const headers = new Headers();
    for (const name of RENEWED) {
        const value: unknown = response.headers[name];
        if (typeof value === 'string') headers.set(name, value);
    }
    return headers;
}

function isStream(data: unknown): boolean {
    if (typeof ReadableStream !== 'undefined' && data instanceof ReadableStream) return true;
    return typeof (data as { pipe?: unknown } | null | undefined)?.pipe === 'function';
}
