import axios, { type AxiosError, type AxiosInstance, type InternalAxiosRequestConfig } from 'axios';
import { beforeEach, describe, expect, it, vi } from 'vitest';

import { attach } from '../src/axios.js';
import type { Auth } from '../src/index.js';
import { Browser } from './support/browser.js';
import { BASE, FakeService } from './support/service.js';
import { failureOf, pass, soon } from './support/time.js';

const ADA = { email: 'ada@example.com', password: 'Lantern-Quartz-Meadow' };

let service: FakeService;
let browser: Browser;
let auth: Auth;
let client: AxiosInstance;
let detach: () => void;

beforeEach(async () => {
    vi.useFakeTimers();
    service = new FakeService();
    browser = new Browser(service);
    auth = browser.tab({ storage: 'localStorage', margin: 1000 });
    await soon(auth.login(ADA));
    client = axios.create({ baseURL: BASE, adapter: 'fetch', env: { fetch: service.browser() } });
    detach = attach(client, auth);
});

async function endUnnoticed(): Promise<void> {
    await pass(61);
    const key = `latchkey:${BASE}`;
    const entry = JSON.parse(browser.local.getItem(key)!) as object;
    browser.local.setItem(key, JSON.stringify({ ...entry, expiresAt: Date.now() + 1e9, storedAt: Date.now() }));
}

/** An instance whose adapter keeps what it is to send, and says that all is well. */
function recording() {
    const sent: InternalAxiosRequestConfig[] = [];
    const other = axios.create({
        baseURL: BASE,
        adapter: (config) => {
            sent.push(config);
            return Promise.resolve({ status: 200, statusText: '', data: '', headers: {}, config });
        },
    });
    return { other, sent };
}

const sentTo = (path: string) => service.requests.filter((request) => request.url === BASE + path);

describe('axios', () => {
    it('sends requests signed in', async () => {
        expect((await soon(client.get('/orders'))).data).toMatchObject({ sub: ADA.email });
    });

    it('renews a token that has ended before a request is sent', async () => {
        await pass(61);
        expect((await soon(client.get('/orders'))).status).toBe(200);
        expect(service.count('rotated')).toBe(1);
        expect(sentTo('/orders')).toHaveLength(1);
    });

    it('repeats a request that was refused, with its body and parameters', async () => {
        await endUnnoticed();
        const answer = await soon(client.post<{ echo: string }>('/orders', { a: 1 }, { params: { page: 2 } }));
        expect(JSON.parse(answer.data.echo)).toEqual({ a: 1 });
        expect(sentTo('/orders?page=2')).toHaveLength(2);
        expect(service.count('rotated')).toBe(1);
    });

    it('leaves alone what an interceptor has signed in or sent elsewhere, in whatever order they were added', async () => {
        const { other, sent } = recording();
        other.interceptors.request.use((config) => {
            if (config.url === '/own') config.headers.set('Authorization', 'Basic b3du');
            if (config.url === '/elsewhere') config.baseURL = 'https://other.example';
            return config;
        });
        attach(other, auth);
        for (const url of ['/own', '/elsewhere', '/orders']) await soon(other.get(url));
        const headers = sent.map((config) => config.headers.get('authorization'));
        expect(headers).toEqual(['Basic b3du', undefined, expect.stringMatching(/^Bearer /)]);
    });

    it('signs a request in anew that the application sends once more', async () => {
        const working = service.browser();
        let isAway = true;
        client.defaults.env = {
            fetch: (input, init) => (isAway ? Promise.reject(new TypeError('network')) : working(input, init)),
        };
        const failure = (await soon(client.get('/orders').catch((error: unknown) => error))) as AxiosError;
        isAway = false;
        await pass(61);
        expect(failure.config!.headers.has('authorization')).toBe(false);
        expect((await soon(client.request(failure.config!))).status).toBe(200);
    });

    it('does not send what was given up during the renewal', async () => {
        await pass(61);
        const controller = new AbortController();
        const { other, sent } = recording();
        attach(other, auth);
        const code = other
            .post('/orders', {}, { signal: controller.signal })
            .catch((error: unknown) => (error as AxiosError).code);
        await pass(0.002);
        controller.abort();
        expect(await soon(code)).toBe('ERR_CANCELED');
        expect(sent).toHaveLength(0);
    });

    it('repeats it also where a refusal counts as a success', async () => {
        await endUnnoticed();
        expect((await soon(client.get('/orders', { validateStatus: () => true }))).status).toBe(200);
    });

    it('repeats once, and not at all where it has not helped', async () => {
        for (let request = 0; request < 3; request += 1) {
            expect(await failureOf(client.get('/never'))).toMatchObject({ response: { status: 401 } });
        }
        expect(sentTo('/never')).toHaveLength(4);
        expect(service.count('rotated')).toBe(1);
    });

    it.each(['before', 'after'])(
        'lets interceptors that were added %s it see the last answer, once',
        async (when) => {
            detach();
            const unwrap = () => client.interceptors.response.use((response) => response.data as never);
            if (when === 'before') unwrap();
            attach(client, auth);
            if (when === 'after') unwrap();
            const seen = vi.fn((config: InternalAxiosRequestConfig) => config);
            client.interceptors.request.use(seen);
            expect(await soon(client.get('/orders'))).toMatchObject({ sub: ADA.email });
            await endUnnoticed();
            expect(await soon(client.get('/orders'))).toMatchObject({ sub: ADA.email });
            expect(sentTo('/orders')).toHaveLength(3);
            expect(seen).toHaveBeenCalledTimes(2);
        },
    );

    it('transforms a body once, though it is sent twice', async () => {
        await endUnnoticed();
        const transformRequest = (data: unknown) => JSON.stringify({ payload: data });
        const { data } = await soon(client.post<{ echo: string }>('/orders', { a: 1 }, { transformRequest }));
        expect(JSON.parse(data.echo)).toEqual({ payload: { a: 1 } });
        expect(sentTo('/orders')).toHaveLength(2);
    });

    it('says that the session has ended', async () => {
        service.endAll();
        expect(await failureOf(client.get('/orders'))).toMatchObject({ name: 'AuthError', code: 'session_ended' });
    });

    it('cannot repeat a stream, and says so', async () => {
        await endUnnoticed();
        const request = client.post('/orders', new Blob(['x']).stream());
        expect(await failureOf(request)).toMatchObject({ name: 'AuthError', code: 'not_replayable' });
    });

    it('takes renewed tokens from answers', async () => {
        service.renewal = 'access';
        await pass(50);
        const before = auth.state.session?.token;
        await soon(client.get('/orders'));
        expect(auth.state.session?.token).not.toBe(before);
        expect(service.refreshes()).toHaveLength(0);
    });

    it('leaves requests to other origins alone, and those that bring their own authorization', async () => {
        const headers: unknown[] = [];
        const adapter = vi.fn(async (config: Parameters<typeof client.request>[0]) => {
            headers.push(
                new Headers(JSON.parse(JSON.stringify(config.headers)) as HeadersInit).get('authorization'),
            );
            return { data: null, status: 200, statusText: '', headers: {}, config: config as never };
        });
        await soon(client.get('https://evil.example/', { adapter }));
        await soon(client.get('/orders', { adapter, headers: { Authorization: 'Basic x' } }));
        await soon(client.get('/orders', { adapter }));
        expect(headers).toEqual([null, 'Basic x', expect.stringMatching(/^Bearer ey/)]);
    });

    it('is left as it was, if asked', async () => {
        detach();
        expect(await failureOf(client.get('/orders'))).toMatchObject({ response: { status: 401 } });
    });

    it('passes other errors on', async () => {
        const error = await failureOf(client.get('/forbidden'));
        expect(error).toMatchObject({ response: { status: 403 } });
    });
});
