/**
 * axios: `attach(axios.create(…), auth)` makes its requests signed in.
 *
 * @packageDocumentation
 */
import {
    AxiosError,
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
    const limit = limitOf(config);
    /** What it came to, which may be an error that has an answer. */
    const send = async (token: string) => {
        const headers = config.headers.concat(await limit.wait(bearer.headers(token, url)));
        const outcome = adapter({ ...config, headers, timeout: limit.rest() });
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

    try {
        const token = await limit.wait(bearer.token());
        if (token === null) return await adapter({ ...config, timeout: limit.rest() });
        const first = await send(token);
        const next = await limit.wait(bearer.replacement(token, first.status, url));
        if (next === null) return await first.outcome;
        if (isStream(config.data)) {
            const message = 'The token was renewed, but the body is a stream, which cannot be sent twice.';
            throw new AuthError('not_replayable', message, { status: first.status });
        }
        const { outcome, status } = await send(next);
        bearer.refusedAgain(next, status, url);
        return await outcome;
    } finally {
        limit.release();
    }
}

/** What ends a request of axios before its time: a signal, a CancelToken, and `timeout`, which is of all attempts together. */
interface Limit {
    /** Waits, until the request is given up or its time is over. */
    wait<T>(promise: Promise<T>): Promise<T>;
    /** The milliseconds that are left for the adapter; 0 is no limit, as in axios. */
    rest(): number;
    release(): void;
}

function limitOf(config: Config): Limit {
    const { signal, cancelToken, timeout = 0 } = config;
    const end = Date.now() + timeout;
    let fail!: (error: unknown) => void;
    const ended = new Promise<never>((_, reject) => (fail = reject));
    ended.catch(() => null);
    const cancel = () => {
        fail(cancelToken?.reason ?? new CanceledError(undefined, undefined, config));
    };
    const late = () => {
        fail(timedOut(config));
    };
    const timer = timeout > 0 ? setTimeout(late, timeout) : undefined;
    signal?.addEventListener?.('abort', cancel);
    if (signal?.aborted) cancel();
    cancelToken?.subscribe(cancel);
    return {
        wait: (promise) => Promise.race([ended, promise]),
        rest: () => (timeout > 0 ? Math.max(1, end - Date.now()) : 0),
        release: () => {
            clearTimeout(timer);
            signal?.removeEventListener?.('abort', cancel);
            cancelToken?.unsubscribe(cancel);
        },
    };
}

/** As axios says it. */
function timedOut(config: Config): AxiosError {
    const message = config.timeoutErrorMessage ?? `timeout of ${String(config.timeout)}ms exceeded`;
    const code = config.transitional?.clarifyTimeoutError ? AxiosError.ETIMEDOUT : AxiosError.ECONNABORTED;
    return new AxiosError(message, code, config);
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
