/**
 * axios: `attach(axios.create(…), auth)` makes its requests signed in.
 *
 * @packageDocumentation
 */
import type { AxiosInstance, AxiosResponse, InternalAxiosRequestConfig } from 'axios';

import type { Auth } from './auth.js';
import { AuthError } from './errors.js';

/** What is kept of a request until its answer, in its configuration: axios copies that from the first try to the second. */
interface Attached {
    latchkey?: { token: string; repeated: boolean };
}

type Config = InternalAxiosRequestConfig & Attached;

/** The headers in which an answer carries renewed tokens. */
const RENEWED = ['x-new-token', 'x-new-access-token', 'x-new-refresh-token'];

/**
 * Adds the access token to the requests of `instance` by the rules of `auth.fetch`, and repeats one that was refused
 * with a renewed token, once. The function that is returned takes that back.
 */
export function attach(instance: AxiosInstance, auth: Auth): () => void {
    const { bearer } = auth;
    const urlOf = (config: Config) => bearer.resolve(instance.getUri(config));

    const authorize = async (config: Config): Promise<Config> => {
        const repeated = config.latchkey?.repeated === true;
        if (!repeated && (config.headers.has('authorization') || !bearer.covers(urlOf(config)))) return config;
        const token = repeated ? config.latchkey?.token : await bearer.token();
        if (token == null) return config;
        config.headers.set('authorization', `Bearer ${token}`);
        config.latchkey = { token, repeated };
        return config;
    };

    /** Another answer, if the request was refused and can be repeated. */
    const repeat = async (response: AxiosResponse): Promise<AxiosResponse | null> => {
        const config = response.config as Config;
        const sent = config.latchkey;
        if (sent === undefined) return null;
        const { status } = response;
        if (sent.repeated) {
            if (status === 401 || status === 403) bearer.refusedAgain(sent.token, status, urlOf(config));
            return null;
        }
        const token = await bearer.replacement(sent.token, status, urlOf(config));
        if (token === null) return null;
        if (isStream(config.data)) {
            const message = 'The token was renewed, but the body is a stream, which cannot be sent twice.';
            throw new AuthError('not_replayable', message, { status });
        }
        return await instance.request({ ...config, latchkey: { token, repeated: true } } as Config);
    };

    const answered = async (response: AxiosResponse): Promise<AxiosResponse> => {
        await receive(auth, response);
        return (await repeat(response)) ?? response;
    };
    const failed = async (error: Error & { response?: AxiosResponse }): Promise<AxiosResponse> => {
        if (error.response !== undefined) {
            await receive(auth, error.response);
            const repeated = await repeat(error.response);
            if (repeated !== null) return repeated;
        }
        throw error;
    };

    const requests = instance.interceptors.request.use(authorize);
    const responses = instance.interceptors.response.use(answered, failed);
    return () => {
        instance.interceptors.request.eject(requests);
        instance.interceptors.response.eject(responses);
    };
}

async function receive({ bearer }: Auth, response: AxiosResponse): Promise<void> {
    if ((response.config as Config).latchkey === undefined) return;
    const headers = new Headers();
    for (const name of RENEWED) {
        const value: unknown = response.headers[name];
        if (typeof value === 'string') headers.set(name, value);
    }
    await bearer.received(headers);
}

function isStream(data: unknown): boolean {
    if (typeof ReadableStream !== 'undefined' && data instanceof ReadableStream) return true;
    return typeof (data as { pipe?: unknown } | null | undefined)?.pipe === 'function';
}
