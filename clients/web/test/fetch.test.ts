import { createReadStream } from 'node:fs';

import { beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';

import { createAuth, type Auth } from '../src/index.js';
import { replayable } from '../src/replay.js';
import { Browser } from './support/browser.js';
import { BASE, FakeService } from './support/service.js';
import { failureOf, pass, soon } from './support/time.js';

const ADA = { email: 'ada@example.com', password: 'Lantern-Quartz-Meadow' };

let service: FakeService;
let browser: Browser;
let auth: Auth;

beforeEach(async () => {
    vi.useFakeTimers();
    service = new FakeService();
    browser = new Browser(service);
    auth = browser.tab({ storage: 'localStorage', origins: ['https://orders.example.com'] });
    await soon(auth.login(ADA));
});

/** Makes the client think that the token holds, so that the service is the first to refuse it. */
async function endUnnoticed(): Promise<void> {
    await pass(61);
    const key = `latchkey:${BASE}`;
    const entry = JSON.parse(browser.local.getItem(key)!) as object;
    browser.local.setItem(key, JSON.stringify({ ...entry, expiresAt: Date.now() + 1e9, storedAt: Date.now() }));
}

const urlOf = (input: RequestInfo | URL) => (input instanceof Request ? input.url : input.toString());
const sentTo = (path: string) => service.requests.filter((request) => request.url === BASE + path);

describe('a request that is refused', () => {
    const form = new FormData();
    form.set('a', 'b');
    it.each([
        ['a text', { body: 'text' }, 'text'],
        ['form fields', { body: new URLSearchParams({ a: 'b' }) }, 'a=b'],
        ['bytes', { body: new TextEncoder().encode('bytes') }, 'bytes'],
        ['a blob', { body: new Blob(['blob']) }, 'blob'],
        ['a form', { body: form }, 'name="a"'],
    ])('is sent again with its body, %s', async (_, init, part) => {
        await endUnnoticed();
        const response = await soon(auth.fetch(`${BASE}/orders`, { method: 'POST', ...init }));
        expect(response.status).toBe(200);
        expect(((await response.json()) as { echo: string }).echo).toContain(part);
        expect(sentTo('/orders')).toHaveLength(2);
    });

    it('is sent again if it is a Request, with its body, headers and method', async () => {
        await endUnnoticed();
        const request = new Request(`${BASE}/orders`, { method: 'PUT', body: 'x', headers: { 'x-y': 'z' } });
        expect((await soon(auth.fetch(request))).status).toBe(200);
        const [first, second] = sentTo('/orders');
        expect(second!.method).toBe('PUT');
        expect(second!.headers.get('x-y')).toBe('z');
        expect(second!.headers.get('authorization')).not.toBe(first!.headers.get('authorization'));
    });

    it('whose body is a stream is an error that says so, and the token is renewed for the next try', async () => {
        await endUnnoticed();
        const body = new Blob(['stream']).stream();
        const init = { method: 'POST', body, duplex: 'half' } as RequestInit;
        expect(await failureOf(auth.fetch(`${BASE}/orders`, init))).toMatchObject({
            code: 'not_replayable',
            status: 401,
        });
        expect((await soon(auth.fetch(`${BASE}/orders`))).status).toBe(200);
        expect(service.count('rotated')).toBe(1);
    });

    it.each([
        [
            'a generator',
            async function* () {
                yield await Promise.resolve(new TextEncoder().encode('x'));
            },
        ],
        ['a file', () => createReadStream('package.json')],
    ])('whose body is %s, which is gone once it has been sent, is such an error too', async (_, body) => {
        await endUnnoticed();
        const init = { method: 'POST', body: body(), duplex: 'half' } as unknown as RequestInit;
        expect(await failureOf(auth.fetch(`${BASE}/orders`, init))).toMatchObject({ code: 'not_replayable' });
        expect(sentTo('/orders')).toHaveLength(1);
    });

    it('is sent again once, and not at all while renewing has not helped there', async () => {
        for (let request = 0; request < 5; request += 1)
            expect((await soon(auth.fetch(`${BASE}/never`))).status).toBe(401);
        expect(service.count('rotated')).toBe(1);
        expect(sentTo('/never')).toHaveLength(6);
        await pass(61);
        expect((await soon(auth.fetch(`${BASE}/orders`))).status).toBe(200);
    });

    it('with 403 gets one renewal, and then stands', async () => {
        await pass(15);
        for (let request = 0; request < 5; request += 1) {
            expect((await soon(auth.fetch(`${BASE}/forbidden`))).status).toBe(403);
        }
        expect(service.count('rotated')).toBe(1);
    });

    it('at two places in turn is renewed for once at each', async () => {
        await pass(15);
        for (let request = 0; request < 20; request += 1) {
            await soon(auth.fetch(BASE + (request % 2 === 0 ? '/forbidden' : '/never')));
        }
        expect(service.count('rotated')).toBe(2);
        expect([...sentTo('/forbidden'), ...sentTo('/never')]).toHaveLength(22);
    });

    it.each([
        ['at once', 0],
        ['one after the other', 0.01],
        ['over minutes', 5],
    ])('with 403 at 40 URLs, %s, gets one renewal while the token lasts', async (_, seconds) => {
        service.accessLife = 900;
        await soon(auth.renew());
        await pass(15);
        service.log.length = 0;
        const answers: Promise<Response>[] = [];
        for (let path = 0; path < 40; path += 1) {
            answers.push(auth.fetch(`${BASE}/forbidden/${String(path)}`));
            await pass(seconds);
        }
        expect((await soon(Promise.all(answers))).every(({ status }) => status === 403)).toBe(true);
        expect(service.count('rotated')).toBe(1);
    });

    it('with 403 gets no renewal for a token that was issued moments ago', async () => {
        await pass(5);
        expect((await soon(auth.fetch(`${BASE}/forbidden`))).status).toBe(403);
        expect(service.refreshes()).toHaveLength(0);
        expect(sentTo('/forbidden')).toHaveLength(1);
    });

    it('with 401 gets a renewal for a token that was issued moments ago', async () => {
        expect((await soon(auth.fetch(`${BASE}/never`))).status).toBe(401);
        expect(service.count('rotated')).toBe(1);
    });

    it('with 403 gets a renewal again when the next token has come of age', async () => {
        await pass(15);
        await soon(auth.fetch(`${BASE}/forbidden`));
        await pass(61);
        await soon(auth.fetch(`${BASE}/orders`));
        await pass(15);
        service.log.length = 0;
        await soon(auth.fetch(`${BASE}/forbidden`));
        expect(service.count('rotated')).toBe(1);
    });

    it.each<[number[], number, number]>([
        [[401], 0, 1],
        [[], 0, 0],
        [[401, 403, 418], 1, 1],
    ])('is renewed for with the statuses of renewOn alone: %j', async (renewOn, forbidden, never) => {
        const client = browser.tab({ storage: 'localStorage', renewOn });
        await pass(15);
        service.log.length = 0;
        await soon(client.fetch(`${BASE}/forbidden`));
        expect(service.count('rotated')).toBe(forbidden);
        service.log.length = 0;
        await soon(client.fetch(`${BASE}/never`));
        expect(service.count('rotated')).toBe(never);
    });

    it('with a status of the application’s is renewed for, if renewOn has it', async () => {
        const real = service.browser();
        const fetch: typeof globalThis.fetch = async (input, init) => {
            const response = await real(input, init);
            return response.status === 401 ? new Response(null, { status: 419 }) : response;
        };
        const client = browser.tab({ storage: 'localStorage', fetch, renewOn: [419] });
        await endUnnoticed();
        expect((await soon(client.fetch(`${BASE}/orders`))).status).toBe(200);
        expect(service.count('rotated')).toBe(1);
    });

    it('with 403 stands, if the service cannot renew now', async () => {
        await pass(15);
        service.mishaps = [503, 503, 503];
        expect((await soon(auth.fetch(`${BASE}/forbidden`))).status).toBe(403);
        expect(auth.state.status).toBe('signed-in');
    });

    it('with 401 is an error that says that the service is away, not an answer that looks like an end', async () => {
        await endUnnoticed();
        service.mishaps = [503, 503, 503];
        expect(await failureOf(auth.fetch(`${BASE}/orders`))).toMatchObject({ status: 503, temporary: true });
    });
});

describe('another user who signs in in the meantime', () => {
    it('is not whom a refused request is repeated as', async () => {
        const response = auth.fetch(`${BASE}/orders`, { method: 'POST', body: 'of Ada' });
        response.catch(() => null);
        service.endAll();
        await soon(auth.login({ ...ADA, email: 'bob@example.com' }));
        expect(await failureOf(response)).toMatchObject({ code: 'signed_out' });
        expect(sentTo('/orders')).toHaveLength(1);
        expect((await soon(auth.me())).email).toBe('bob@example.com');
    });

    it('is not whom a request is sent as that waited for a renewal', async () => {
        await pass(61);
        service.mishaps = ['hangs'];
        const response = auth.fetch(`${BASE}/orders`);
        response.catch(() => null);
        await pass(1);
        await soon(auth.login({ ...ADA, email: 'bob@example.com' }));
        expect(await failureOf(response)).toMatchObject({ code: 'signed_out' });
        expect(sentTo('/orders')).toHaveLength(0);
    });
});

describe('where there are no streams', () => {
    it('a body is none', () => {
        vi.stubGlobal('ReadableStream', undefined);
        expect(replayable(fetch, (url) => new URL(url), BASE, { method: 'POST', body: 'text' }).isStream).toBe(
            false,
        );
    });
});

describe('the access token', () => {
    it('goes to the service and the configured origins only', async () => {
        const fetch = vi.fn<typeof globalThis.fetch>(async () => new Response());
        vi.stubGlobal('location', { href: 'https://app.example.com/page' });
        const client = browser.tab({ storage: 'localStorage', fetch, origins: ['https://orders.example.com'] });
        const authorization = async (url: string | URL) => {
            await soon(client.fetch(url));
            return new Headers(fetch.mock.lastCall?.[1]?.headers).get('authorization');
        };
        for (const url of [`${BASE}/x`, new URL('https://orders.example.com/y?z')]) {
            expect(await authorization(url)).toMatch(/^Bearer ey/);
        }
        for (const url of [
            '/relative/to/the/page',
            'https://evil.example/api.example.com',
            'https://api.example.com.evil.example/',
            'https://api.example.com@evil.example/',
            'http://api.example.com/',
            'https://api.example.com:8443/',
            '//evil.example/',
            'data:text/plain,x',
        ]) {
            expect(await authorization(url), url).toBeNull();
        }
    });

    it('goes where the request goes, whatever a `<base>` makes of its URL', async () => {
        const fetch = vi.fn<typeof globalThis.fetch>(async () => new Response());
        vi.stubGlobal('location', { href: `${BASE}/page` });
        vi.stubGlobal('document', { baseURI: 'https://evil.example/' });
        const client = browser.tab({ storage: 'localStorage', fetch });
        await soon(client.fetch('orders'));
        const [url, init] = fetch.mock.lastCall!;
        expect(url).toBe('https://evil.example/orders');
        expect(new Headers(init?.headers).has('authorization')).toBe(false);
        vi.stubGlobal('document', { baseURI: `${BASE}/app/` });
        await soon(client.fetch('orders'));
        expect(fetch.mock.lastCall![0]).toBe(`${BASE}/app/orders`);
    });

    it('goes to the URL of the call, though the object is changed afterwards', async () => {
        const url = new URL(`${BASE}/orders`);
        const pages = ['1', '2', '3'].map((page) => {
            url.searchParams.set('page', page);
            return auth.fetch(url);
        });
        url.hostname = 'evil.example';
        await soon(Promise.all(pages));
        expect(service.requests.slice(1).map((request) => request.url)).toEqual(
            ['1', '2', '3'].map((page) => `${BASE}/orders?page=${page}`),
        );
    });

    it('does not go with a Request that is not one of this page’s to where its text would be', async () => {
        const fetch = vi.fn<typeof globalThis.fetch>(async () => new Response());
        const client = browser.tab({ storage: 'localStorage', fetch });
        class Foreign {
            readonly url = 'https://evil.example/';
        }
        await failureOf(client.fetch(new Foreign() as Request));
        expect(fetch).not.toHaveBeenCalled();
    });

    it('does not replace one that the caller has put there', async () => {
        const headers = { Authorization: 'Basic eDp5' };
        await soon(auth.fetch(`${BASE}/orders`, { headers }).catch(() => null));
        expect(sentTo('/orders')[0]!.headers.get('authorization')).toBe('Basic eDp5');
    });

    it('is missing if nobody is signed in, and the answer is the service’s', async () => {
        await soon(auth.logout());
        expect((await soon(auth.fetch(`${BASE}/orders`))).status).toBe(401);
        expect(service.refreshes()).toHaveLength(0);
    });
});

describe('a caller who gives up', () => {
    it('does not wait for a renewal, which goes on', async () => {
        await pass(61);
        service.mishaps = ['hangs'];
        const ending = new AbortController();
        const request = auth.fetch(`${BASE}/orders`, { signal: ending.signal });
        request.catch(() => null);
        await pass(1);
        ending.abort();
        expect(await failureOf(request)).toMatchObject({ name: 'AbortError' });
        await pass(60);
        expect((await soon(auth.fetch(`${BASE}/orders`))).status).toBe(200);
        expect(service.log).toEqual(['login', 'rotated', 'replayed']);
    });

    it('before it began sends nothing', async () => {
        expect(await failureOf(auth.fetch(`${BASE}/orders`, { signal: AbortSignal.abort() }))).toMatchObject({
            name: 'AbortError',
        });
        expect(sentTo('/orders')).toHaveLength(0);
    });
});

describe('a caller who has given up before a call', () => {
    it('does not hear of what becomes of the token', async () => {
        const unhandled = vi.fn();
        process.on('unhandledRejection', unhandled);
        onTestFinished(() => void process.off('unhandledRejection', unhandled));
        service.endAll();
        await pass(61);
        const request = auth.fetch(`${BASE}/orders`, { signal: AbortSignal.abort() });
        expect(await failureOf(request)).toMatchObject({ name: 'AbortError' });
        await pass(1);
        expect(auth.state.reason).toBe('session-ended');
        vi.useRealTimers();
        await new Promise((resolve) => setTimeout(resolve, 10));
        expect(unhandled).not.toHaveBeenCalled();
    });
});

describe('renewal by the authorizer', () => {
    it('is taken from the headers of an answer', async () => {
        service.renewal = 'access';
        const client = browser.tab({ storage: 'localStorage', margin: 1000 });
        for (let second = 0; second < 600; second += 10) {
            await pass(10);
            expect((await soon(client.fetch(`${BASE}/orders`))).status).toBe(200);
        }
        expect(service.refreshes()).toHaveLength(0);
    });

    it('with rotation is carried by one request at a time, and followed', async () => {
        service.renewal = 'rotate';
        const client = browser.tab({ storage: 'localStorage', sendRefreshToken: true });
        for (let expiry = 1; expiry <= 4; expiry += 1) {
            await pass(54);
            const requests = Array.from({ length: 5 }, () => client.fetch(`${BASE}/orders`));
            expect((await soon(Promise.all(requests))).every(({ status }) => status === 200)).toBe(true);
            expect(service.count('rotated')).toBe(expiry);
        }
        expect(service.refreshes()).toHaveLength(0);
        const carriers = service.requests.filter((request) => request.headers.has('x-refresh-token'));
        expect(carriers).toHaveLength(4);
        expect(new Set(carriers.map((request) => request.headers.get('x-refresh-idempotency-key')))).toHaveLength(
            4,
        );
        expect(service.count('replayed')).toBe(0);
    });

    it('is repeated at the refresh endpoint with the same key if its answer is lost', async () => {
        service.renewal = 'rotate';
        let lose = true;
        const network = browser.tab({ storage: 'localStorage' });
        const fetch: typeof globalThis.fetch = async (input, init) => {
            const response = await realFetch(input, init);
            const carries = new Headers(init?.headers).has('x-refresh-token');
            if (carries && lose) throw new TypeError('lost');
            return response;
        };
        const realFetch = service.browser();
        network.close();
        const client = browser.tab({ storage: 'localStorage', sendRefreshToken: true, fetch });
        await pass(54);
        expect(await failureOf(client.fetch(`${BASE}/orders`))).toBeInstanceOf(TypeError);
        lose = false;
        await pass(100);
        expect((await soon(client.fetch(`${BASE}/orders`))).status).toBe(200);
        expect(service.log).toEqual(['login', 'rotated', 'replayed']);
    });

    it('that the service does not do is tried once, then it is renewed as ever', async () => {
        const client = browser.tab({ storage: 'localStorage', sendRefreshToken: true });
        await pass(54);
        for (let request = 0; request < 3; request += 1) await soon(client.fetch(`${BASE}/orders`));
        await pass(1);
        expect(service.requests.filter((request) => request.headers.has('x-refresh-token'))).toHaveLength(1);
        expect(service.refreshes()).toHaveLength(1);
    });

    it('sends no refresh token with what changes something, nor to other origins, nor along a redirect', async () => {
        const real = service.browser();
        const sent: RequestInit[] = [];
        const fetch: typeof globalThis.fetch = async (input, init = {}) => {
            sent.push(init);
            if (urlOf(input).endsWith('/moved') && init.redirect === 'manual') {
                return new Response(null, { status: 302, headers: { location: 'https://evil.example/' } });
            }
            return await real(urlOf(input).replace('/moved', '/orders'), init);
        };
        const client = browser.tab({ storage: 'localStorage', sendRefreshToken: true, fetch });
        const carriers = () => sent.filter(({ headers }) => new Headers(headers).has('x-refresh-token'));
        await pass(54);
        await soon(client.fetch(`${BASE}/orders`, { method: 'POST', body: 'x' }));
        await soon(client.fetch('https://evil.example/').catch(() => null));
        expect(carriers()).toHaveLength(0);
        expect((await soon(client.fetch(`${BASE}/moved`))).status).toBe(200);
        expect(carriers()).toHaveLength(1);
        expect(carriers()[0]!.redirect).toBe('manual');
    });

    it('late in coming does not replace what is later', async () => {
        service.renewal = 'access';
        const real = service.browser();
        let hold = Promise.resolve();
        let release!: () => void;
        const client = browser.tab({
            storage: 'localStorage',
            margin: 0,
            fetch: async (input, init) => {
                const response = await real(input, init);
                if (urlOf(input).endsWith('/slow')) await hold;
                return response;
            },
        });
        await pass(50);
        hold = new Promise((resolve) => (release = resolve));
        const slow = client.fetch(`${BASE}/slow`);
        await pass(5);
        const { token } = await soon(client.renew());
        release();
        await soon(slow);
        expect(client.state.session?.token).toBe(token);
    });
});

describe('options', () => {
    it.each([
        [{ baseUrl: 'nonsense' }, 'nonsense'],
        [{ baseUrl: 'ftp://x' }, 'ftp://x'],
        [{ baseUrl: BASE, origins: ['*'] }, '*'],
        [{ baseUrl: BASE, margin: -1 }, 'margin'],
        [{ baseUrl: BASE, timeout: Number.NaN }, 'timeout'],
        [{ baseUrl: BASE, renewOn: [200] }, 'renewOn'],
    ])('that cannot be meant are named: %j', (options, name) => {
        expect(() => createAuth(options)).toThrow(name);
    });

    it('that are relative mean this page’s origin, and the name of the session is as it was written', async () => {
        vi.stubGlobal('location', { href: `${BASE}/page` });
        vi.stubGlobal('document', { baseURI: 'https://evil.example/' });
        const client = createAuth({ baseUrl: '/', fetch: service.browser(), storage: 'localStorage' });
        expect((await soon(client.login(ADA))).user.email).toBe(ADA.email);
        expect(browser.local.getItem('latchkey:')).not.toBeNull();
        vi.stubGlobal('document', { baseURI: `${BASE}/app/` });
        const fetch = vi.fn<typeof globalThis.fetch>(async () => new Response());
        await failureOf(createAuth({ baseUrl: 'api', fetch }).login(ADA));
        expect(fetch.mock.lastCall![0]).toBe(`${BASE}/app/api/auth/login`);
    });

    it('may set no limit of time, or one that is longer than a timer takes', async () => {
        for (const timeout of [Number.POSITIVE_INFINITY, 2 ** 31]) {
            const client = createAuth({ baseUrl: BASE, fetch: service.browser(), timeout });
            expect((await soon(client.login(ADA))).user.email).toBe(ADA.email);
        }
    });

    it('say where randomness comes from, where there is none', async () => {
        vi.stubGlobal('crypto', undefined);
        expect(() => createAuth({ baseUrl: BASE })).toThrow('randomKey');
        const other = createAuth({ baseUrl: BASE, fetch: service.browser(), randomKey: () => 'k' });
        expect((await soon(other.login(ADA))).user.email).toBe(ADA.email);
    });
});
