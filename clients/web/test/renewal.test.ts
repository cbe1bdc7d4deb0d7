import { readFileSync } from 'node:fs';

import { beforeEach, describe, expect, it, vi } from 'vitest';

import { AuthError, type Auth } from '../src/index.js';
import type { Renewal, Session } from '../src/session.js';
import { Browser, FakeStorage } from './support/browser.js';
import { BASE, FakeService } from './support/service.js';
import { FORMATS, spellError } from './support/spelling.js';
import { failureOf, pass, soon } from './support/time.js';

const ADA = { email: 'ada@example.com', password: 'Lantern-Quartz-Meadow' };

/** What the service refuses a refresh with for good. */
const FINAL = { 400: 'invalid_request', 401: 'invalid_grant', 403: 'forbidden' } as const;

/** What of the service's OpenAPI document is read here. */
interface Contract {
    paths: { '/auth/refresh': { post: { responses: Record<number, { $ref: string }> } } };
    components: { responses: Record<string, { content: { 'application/json': { schema: Schema } } }> };
}
interface Schema {
    allOf: [object, { properties: { error: { enum: string[] } } }];
}

let service: FakeService;
let browser: Browser;
let auth: Auth;

beforeEach(async () => {
    vi.useFakeTimers();
    service = new FakeService();
    browser = new Browser(service);
    auth = browser.tab({ storage: 'localStorage' });
    await soon(auth.login(ADA));
});

const get = (path = '/orders', client = auth) => soon(client.fetch(BASE + path));
const stored = () => JSON.parse(browser.local.getItem(`latchkey:${BASE}`)!) as Session & { renewal: Renewal };
/** Sets this machine's clock, and with it the service's, by so many hours. */
const setClock = (hours: number) => vi.setSystemTime(Date.now() + hours * 3_600_000);

describe('an access token', () => {
    it('is sent until it is about to end, and nothing else happens', async () => {
        for (let second = 0; second < 45; second += 5) {
            await pass(5);
            expect((await get()).status).toBe(200);
        }
        expect(service.refreshes()).toHaveLength(0);
    });

    it('that is about to end is renewed while requests go on with it', async () => {
        await pass(53);
        const before = auth.state.session!.token;
        const answer = auth.fetch(`${BASE}/orders`);
        expect((await soon(answer)).status).toBe(200);
        await pass(1);
        expect(auth.state.session!.token).not.toBe(before);
        expect(service.count('rotated')).toBe(1);
        const sent = service.requests.find((request) => request.url.endsWith('/orders'));
        expect(sent?.headers.get('authorization')).toBe(`Bearer ${before}`);
    });

    it('that has ended is renewed before the request is sent', async () => {
        await pass(3600);
        expect((await get()).status).toBe(200);
        expect(service.requests.map((request) => new URL(request.url).pathname)).toEqual([
            '/auth/login',
            '/auth/refresh',
            '/orders',
        ]);
    });

    it('stored before the clock was set back is renewed', async () => {
        setClock(-1);
        expect((await get()).status).toBe(200);
        expect(service.count('rotated')).toBe(1);
    });

    it('is renewed at most a fifth of its life before its end, and no earlier than the margin says', async () => {
        service.accessLife = 3600;
        await soon(auth.renew());
        service.log.length = 0;
        await pass(3600 - 361);
        await get();
        expect(service.count('rotated')).toBe(0);
        await pass(361 - 239);
        await get();
        await pass(1);
        expect(service.count('rotated')).toBe(1);
    });
});

describe('many requests at once', () => {
    it('share one refresh', async () => {
        await pass(61);
        const answers = await soon(Promise.all(Array.from({ length: 20 }, () => auth.fetch(`${BASE}/orders`))));
        expect(answers.every(({ status }) => status === 200)).toBe(true);
        expect(service.refreshes()).toHaveLength(1);
    });

    it('share one refresh after a refusal, too, however late each is refused', async () => {
        service.accessLife = 30;
        await pass(1);
        const lie = stored();
        await pass(60);
        // This machine thinks that the token holds.
        browser.local.setItem(
            `latchkey:${BASE}`,
            JSON.stringify({ ...lie, expiresAt: Date.now() + 1e9, storedAt: Date.now() }),
        );
        const answers = await soon(Promise.all(Array.from({ length: 20 }, () => auth.fetch(`${BASE}/orders`))));
        expect(answers.every(({ status }) => status === 200)).toBe(true);
        expect(service.refreshes()).toHaveLength(1);
    });
});

describe('the idempotency key', () => {
    it('is made when a refresh token arrives, and stored beside it before a refresh is sent', async () => {
        const key = stored().renewal.idempotencyKey;
        expect(key).toMatch(/^[0-9a-f]{32}$/);
        await soon(auth.renew());
        expect(service.refreshes()[0]!.headers.get('idempotency-key')).toBe(key);
        expect(stored().renewal.idempotencyKey).not.toBe(key);
    });

    it('goes with each repetition, so that a lost answer is given again however long it takes', async () => {
        service.mishaps = ['answer-lost', 'answer-lost', 'answer-lost'];
        await pass(61);
        expect(await failureOf(auth.fetch(`${BASE}/orders`))).toMatchObject({
            code: 'network_error',
            temporary: true,
        });
        await pass(3600);
        expect((await get()).status).toBe(200);
        expect(new Set(service.refreshes().map((request) => request.headers.get('idempotency-key')))).toHaveLength(
            1,
        );
        expect(service.log).toEqual(['login', 'rotated', 'replayed', 'replayed', 'replayed']);
    });

    it('goes with a logout, of a token whose successor may have been lost', async () => {
        service.mishaps = ['answer-lost', 'answer-lost', 'answer-lost'];
        const key = stored().renewal.idempotencyKey;
        expect(await failureOf(auth.renew())).toMatchObject({ temporary: true });
        await pass(3600);
        await soon(auth.logout());
        const logout = service.requests.at(-1)!;
        expect(logout.url).toBe(`${BASE}/auth/logout`);
        expect(logout.headers.get('idempotency-key')).toBe(key);
    });

    it('is kept with the same refresh token, where the service rotates none', async () => {
        service.rotation = false;
        const key = stored().renewal.idempotencyKey;
        await soon(auth.renew());
        expect(stored().renewal.idempotencyKey).toBe(key);
    });

    it('and the note of an attempt outlive the page', async () => {
        service.mishaps = ['hangs'];
        void auth.renew().catch(() => null);
        await pass(1);
        expect(service.count('rotated')).toBe(1);
        const next = new Browser(browser).tab({ storage: 'localStorage' });
        expect(await soon(next.session())).not.toBeNull();
        await pass(1);
        expect(service.log).toEqual(['login', 'rotated', 'replayed']);
    });
});

describe('after a refresh that had to be repeated', () => {
    it('its successor is not used while the first may still arrive', async () => {
        service.accessLife = 3;
        service.mishaps = ['hangs'];
        await pass(61);
        expect((await soon(auth.fetch(`${BASE}/orders`))).status).toBe(200);
        const repeatedAt = Date.now();
        await pass(4);
        expect((await get()).status).toBe(200);
        expect(service.log).toEqual(['login', 'rotated', 'replayed', 'rotated']);
        expect(Date.now() - repeatedAt).toBeGreaterThan(9_900);
    });
});

describe('a clock that is set', () => {
    /** A refresh that the service put off by two minutes while the clock was wrong by so many hours. */
    async function postponed(hours: number) {
        await pass(61);
        setClock(hours);
        service.mishaps = [503];
        service.retryAfter = '120';
        expect(await failureOf(auth.renew())).toMatchObject({ retryAfter: 120 });
        expect(await failureOf(auth.renew())).toMatchObject({ retryAfter: 120 });
        expect(service.refreshes()).toHaveLength(1);
    }

    it('back does not put the next attempt off by what it was wrong', async () => {
        await postponed(6);
        setClock(-6);
        expect((await get()).status).toBe(200);
        expect(service.refreshes()).toHaveLength(2);
    });

    it('forward brings the next attempt on', async () => {
        await postponed(-6);
        setClock(6);
        expect((await get()).status).toBe(200);
        expect(service.refreshes()).toHaveLength(2);
    });

    it('back by no more than two processes differ leaves it where it was', async () => {
        await postponed(0);
        setClock(-5 / 3600);
        expect(await failureOf(auth.renew())).toMatchObject({ retryAfter: 125 });
        expect(service.refreshes()).toHaveLength(1);
    });

    it('at any time does not keep what an earlier version has noted, which did not say when', async () => {
        await postponed(6);
        const { renewal, ...session } = stored();
        const earlier = { ...renewal, failedAt: undefined };
        browser.local.setItem(`latchkey:${BASE}`, JSON.stringify({ ...session, renewal: earlier }));
        setClock(-6);
        expect((await get()).status).toBe(200);
        expect(service.refreshes()[1]!.headers.get('idempotency-key')).toBe(renewal.idempotencyKey);
    });

    // 25 days are more milliseconds than a timer takes.
    it.each([6, 25 * 24])('back by %d hours keeps nobody longer from a successor', async (hours) => {
        await pass(61);
        setClock(hours);
        service.mishaps = ['answer-lost'];
        await soon(auth.renew());
        expect(service.log).toEqual(['login', 'rotated', 'replayed']);
        setClock(-hours);
        const [setAt, read] = [Date.now(), vi.spyOn(browser.local, 'getItem')];
        expect((await get()).status).toBe(200);
        expect(service.log).toEqual(['login', 'rotated', 'replayed', 'rotated']);
        expect(Date.now() - setAt).toBeGreaterThan(9_900);
        expect(Date.now() - setAt).toBeLessThan(11_000);
        expect(read.mock.calls.length).toBeLessThan(20);
    });
});

describe('a refresh that fails', () => {
    it.each([['request-lost'], [500], [503], [429]] as const)(
        'by %s keeps the session and tries again',
        async (mishap) => {
            service.mishaps = [mishap];
            await pass(61);
            expect((await get()).status).toBe(200);
            expect(auth.state.status).toBe('signed-in');
        },
    );

    it('by the page of a proxy decides nothing, whatever its status', async () => {
        service.mishaps = ['garbage', 'garbage', 'garbage'];
        await pass(61);
        expect(await failureOf(auth.fetch(`${BASE}/orders`))).toMatchObject({
            code: 'bad_answer',
            temporary: true,
        });
        expect(auth.state.status).toBe('signed-in');
        await pass(30);
        expect((await get()).status).toBe(200);
    });

    it.each<{ status: number; body: object }>([
        { status: 403, body: { error: 'Blocked by the gateway of your company' } },
        { status: 403, body: { error: 'forbidden' } },
        { status: 403, body: { error: { code: 'forbidden', message: 'Blocked.' } } },
        { status: 401, body: { error: 'invalid_grant' } },
        { status: 400, body: { error: 'invalid_request' } },
        { status: 401, body: { message: 'Unauthorized' } },
        // In the service's own words, but those of another answer.
        ...FORMATS.map((format) => ({ status: 401, body: spellError(format, 'invalid_token') })),
        ...FORMATS.map((format) => ({ status: 403, body: spellError(format, 'invalid_request') })),
        ...FORMATS.map((format) => ({ status: 404, body: spellError(format, 'forbidden') })),
    ])('by the JSON of somebody else decides nothing: $status $body', async (answer) => {
        service.mishaps = [answer, answer, answer];
        const before = stored();
        await pass(61);
        expect(await failureOf(auth.fetch(`${BASE}/orders`))).toMatchObject({ status: answer.status });
        expect(auth.state.status).toBe('signed-in');
        expect(stored()).toMatchObject({ refreshToken: before.refreshToken, renewal: { failures: 3 } });
        await pass(30);
        expect((await get()).status).toBe(200);
        expect(service.log).toEqual(['login', 'rotated']);
    });

    it('waits longer each time, and calls in between fail at once without a request', async () => {
        service.mishaps = Array.from({ length: 50 }, () => 503);
        await pass(61);
        const start = Date.now();
        for (let second = 0; second < 300; second += 1) {
            await failureOf(auth.fetch(`${BASE}/orders`));
            await pass(1);
        }
        const minutes = (Date.now() - start) / 60_000;
        expect(service.refreshes().length / minutes).toBeLessThan(6);
        service.mishaps = [];
        await pass(30);
        expect((await get()).status).toBe(200);
    });

    it('is tried three times by one call, however odd the waits', async () => {
        vi.spyOn(Math, 'random').mockReturnValue(0.3337);
        service.mishaps = [503, 503, 503];
        await pass(61);
        expect(await failureOf(auth.renew())).toMatchObject({ status: 503 });
        expect(service.refreshes()).toHaveLength(3);
    });

    it('waits as long as the service asks, and says so', async () => {
        service.mishaps = [429];
        service.retryAfter = '120';
        await pass(61);
        expect(await failureOf(auth.fetch(`${BASE}/orders`))).toMatchObject({
            code: 'temporarily_unavailable',
            status: 429,
            retryAfter: 120,
        });
        await pass(60);
        expect(await failureOf(auth.renew())).toMatchObject({ code: 'temporarily_unavailable', retryAfter: 60 });
        expect(service.refreshes()).toHaveLength(1);
        await pass(61);
        expect((await get()).status).toBe(200);
    });

    it('waits five minutes at most, whoever asks for more', async () => {
        service.mishaps = [503];
        service.retryAfter = '86400';
        await pass(61);
        expect(await failureOf(get())).toMatchObject({ status: 503, retryAfter: 300 });
        await pass(301);
        expect((await get()).status).toBe(200);
    });

    it('does not keep a request from going with a token that still holds', async () => {
        service.mishaps = Array.from({ length: 9 }, () => 503);
        await pass(54);
        expect((await get()).status).toBe(200);
        await pass(1);
        expect((await get()).status).toBe(200);
    });

    it('before anything was sent, as the storage is full, loses nothing', async () => {
        vi.spyOn(browser.local, 'setItem').mockImplementation(() => {
            throw new DOMException('full', 'QuotaExceededError');
        });
        expect(await failureOf(auth.renew())).toMatchObject({ code: 'storage_failed' });
        expect(service.refreshes()).toHaveLength(0);
        expect(auth.state.status).toBe('signed-in');
    });
});

describe('a refresh that is refused', () => {
    it('is the end, and says why', async () => {
        const changes: unknown[] = [];
        auth.onChange(({ status, reason, error, elsewhere }) =>
            changes.push({ status, reason, code: error?.code, elsewhere }),
        );
        service.endAll();
        const error = await failureOf(auth.fetch(`${BASE}/orders`));
        expect(error).toBeInstanceOf(AuthError);
        expect(error).toMatchObject({ code: 'session_ended', status: 401, requestId: 'r-1', temporary: false });
        expect((error as AuthError).cause).toMatchObject({ code: 'invalid_grant' });
        expect(changes).toEqual([
            { status: 'signed-out', reason: 'session-ended', code: 'session_ended', elsewhere: false },
        ]);
        expect(browser.local.length).toBe(0);
        expect(await soon(auth.session())).toBeNull();
    });

    it('is so with the codes that its contract names', () => {
        const { paths, components } = JSON.parse(
            readFileSync(new URL('../../../docs/openapi.json', import.meta.url), 'utf8'),
        ) as Contract;
        const codes = [400, 401, 403].map((status) => {
            const name = paths['/auth/refresh'].post.responses[status]!.$ref.split('/').at(-1)!;
            const { allOf } = components.responses[name]!.content['application/json'].schema;
            return [status, allOf[1].properties.error.enum] as const;
        });
        expect(Object.fromEntries(codes)).toEqual(
            Object.fromEntries(Object.entries(FINAL).map(([status, code]) => [status, [code]])),
        );
    });

    it.each(
        FORMATS.flatMap((format) =>
            ([400, 401, 403] as const).map((status) => [status, FINAL[status], format] as const),
        ),
    )('with %i and %s is the end, in the format %s', async (status, code, format) => {
        service.mishaps = [{ status, body: spellError(format, code) }];
        const error = await failureOf(auth.renew());
        expect(error).toMatchObject({ code: 'session_ended', status, cause: { code } });
        expect(auth.state.status).toBe('signed-out');
        expect(browser.local.length).toBe(0);
    });

    it.each([404, 408, 413, 415])('is not meant by %s', async (status) => {
        service.mishaps = [status, status, status];
        expect(await failureOf(auth.renew())).toMatchObject({ status });
        expect(auth.state.status).toBe('signed-in');
    });

    it('does not end a login that came in the meantime', async () => {
        service.mishaps = ['hangs'];
        const renewing = failureOf(auth.renew());
        await pass(1);
        service.endAll();
        await soon(auth.login({ ...ADA, email: 'bob@example.com' }));
        await renewing;
        expect(auth.state).toMatchObject({ status: 'signed-in', session: { user: { email: 'bob@example.com' } } });
        expect((await get()).status).toBe(200);
    });

    it('after a logout brings nobody back', async () => {
        const renewing = auth.renew();
        renewing.catch(() => null);
        await pass(0.002);
        await soon(auth.logout());
        expect(await failureOf(renewing)).toMatchObject({ code: 'signed_out' });
        expect(auth.state.status).toBe('signed-out');
        expect(browser.local.length).toBe(0);
    });

    it('after a logout brings nobody back, in whatever order an asynchronous storage works', async () => {
        const after = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds));
        for (let elapsed = 0; elapsed < 80; elapsed += 1) {
            const items = new FakeStorage();
            const client = browser.tab({
                storage: {
                    getItem: (key) => after(5).then(() => items.getItem(key)),
                    setItem: async (key, value) => {
                        await after(20);
                        items.setItem(key, value);
                    },
                    removeItem: async (key) => {
                        await after(1);
                        items.removeItem(key);
                    },
                },
            });
            await soon(client.login(ADA));
            client.renew().catch(() => null);
            await pass(elapsed / 1000);
            await soon(client.logout());
            await pass(1);
            const found = [client.state.status, items.length, await soon(client.session())];
            expect(found, `after ${String(elapsed)} ms`).toEqual(['signed-out', 0, null]);
        }
    });
});
