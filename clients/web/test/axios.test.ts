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

    describe.each([
        ['a signal', (stop: AbortController) => ({ signal: stop.signal })],
        [
            'a CancelToken',
            (stop: AbortController) => {
                const source = axios.CancelToken.source();
                stop.signal.addEventListener('abort', () => {
                    source.cancel('no longer');
                });
                return { cancelToken: source.token };
            },
        ],
    ])('with %s', (_, options) => {
        it.each([
            [
                'while a token is awaited',
                async () => {
                    await pass(61);
                },
            ],
            ['while a refused request is repeated', endUnnoticed],
        ])('ends at once %s', async (_, prepare) => {
            await prepare();
            service.mishaps = ['hangs'];
            const stop = new AbortController();
            const request = client
                .post('/orders', {}, options(stop))
                .catch((error: unknown) => error as AxiosError);
            await pass(1);
            const sent = sentTo('/orders').length;
            stop.abort();
            expect(await request).toMatchObject({ code: 'ERR_CANCELED' });
            expect(axios.isCancel(await request)).toBe(true);
            await pass(60);
            expect(sentTo('/orders')).toHaveLength(sent);
            // The renewal has gone on.
            expect((await soon(client.get('/orders'))).status).toBe(200);
            expect(service.log).toEqual(['login', 'rotated', 'replayed']);
        });

        it('that is over before sends nothing', async () => {
            const stop = new AbortController();
            const config = options(stop);
            stop.abort();
            await pass(0);
            const request = client.get('/orders', config).catch((error: unknown) => error as AxiosError);
            expect(await soon(request)).toMatchObject({ code: 'ERR_CANCELED' });
            expect(sentTo('/orders')).toHaveLength(0);
        });

        it('ends the repetition itself', async () => {
            await endUnnoticed();
            const stop = new AbortController();
            let sent = 0;
            const real = service.browser();
            client.defaults.env = {
                fetch: async (input, init) => {
                    sent += 1;
                    if (sent === 2) {
                        setTimeout(() => {
                            stop.abort();
                        }, 3);
                    }
                    return await real(input, init);
                },
            };
            const request = client.get('/orders', options(stop)).catch((error: unknown) => error as AxiosError);
            expect(await soon(request)).toMatchObject({ code: 'ERR_CANCELED' });
            expect(sent).toBe(2);
        });
    });

    describe('with a timeout', () => {
        it.each([
            [
                'while a token is awaited',
                async () => {
                    await pass(61);
                },
            ],
            ['while a refused request is repeated', endUnnoticed],
        ])('ends in time %s', async (_, prepare) => {
            await prepare();
            service.mishaps = ['hangs'];
            const request = client
                .get('/orders', { timeout: 2000 })
                .catch((error: unknown) => error as AxiosError);
            const before = Date.now();
            await pass(2.1);
            expect(await request).toMatchObject({ code: 'ECONNABORTED', message: 'timeout of 2000ms exceeded' });
            expect(Date.now() - before).toBeLessThan(2200);
        });

        it('says what the application says', async () => {
            await pass(61);
            service.mishaps = ['hangs'];
            const options = { timeout: 500, timeoutErrorMessage: 'Too slow.' };
            const transitional = { clarifyTimeoutError: true };
            expect(await failureOf(client.get('/orders', { ...options, transitional }))).toMatchObject({
                code: 'ETIMEDOUT',
                message: 'Too slow.',
            });
        });

        it('leaves the adapter what the wait has left over, of both attempts', async () => {
            await pass(61);
            const { other, sent } = recording();
            attach(other, auth);
            await soon(other.get('/orders', { timeout: 2000 }));
            await soon(other.get('/orders'));
            expect(sent[0]!.timeout).toBeGreaterThan(1500);
            expect(sent[0]!.timeout).toBeLessThan(2000);
            expect(sent[1]!.timeout).toBe(0);
        });
    });

    it('lets go of a signal and a CancelToken that live on', async () => {
        const stop = new AbortController();
        const [added, removed] = [
            vi.spyOn(stop.signal, 'addEventListener'),
            vi.spyOn(stop.signal, 'removeEventListener'),
        ];
        const source = axios.CancelToken.source();
        const { other } = recording();
        attach(other, auth);
        const unsubscribe = vi.spyOn(source.token, 'unsubscribe');
        await soon(other.get('/orders', { signal: stop.signal, cancelToken: source.token }));
        expect(removed.mock.calls.length).toBe(added.mock.calls.length);
        expect(unsubscribe).toHaveBeenCalled();
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
