import { beforeEach, describe, expect, it, vi } from 'vitest';

import { createServerAuth, type ServerAuth, type Visitor } from '../src/server.js';
import { memoryStorage, type KeyValueStorage } from '../src/storage.js';
import { BASE, FakeService } from './support/service.js';
import { failureOf, pass, soon } from './support/time.js';

const ADA = { email: 'ada@example.com', password: 'Lantern-Quartz-Meadow' };

let service: FakeService;
let storage: KeyValueStorage;

beforeEach(() => {
    vi.useFakeTimers();
    service = new FakeService();
    storage = memoryStorage();
});

/** The client of one request to the server. */
function request(options: { readOnly?: boolean; storage?: KeyValueStorage } = {}): ServerAuth {
    return createServerAuth({ baseUrl: BASE, fetch: service.browser(), storage, ...options });
}

const orders = (auth: ServerAuth) => soon(auth.fetch(`${BASE}/orders`));

describe('a server', () => {
    it('keeps the session from request to request, and shows no token', async () => {
        const shown = [await soon(request().login(ADA)), await soon(request().session())];
        expect(shown[0]).toEqual(shown[1]);
        expect(Object.keys(shown[0]!).sort()).toEqual(['expiresAt', 'user']);
        expect(Object.keys(request()).filter((name) => /token|state|bearer|renew/i.test(name))).toEqual([]);
        expect((await orders(request())).status).toBe(200);
    });

    it('renews before it sends, and has stored the new tokens when it answers', async () => {
        await soon(request().login(ADA));
        for (let expiry = 1; expiry <= 3; expiry += 1) {
            await pass(53);
            const stored = await storage.getItem(`latchkey:${BASE}`);
            expect((await orders(request())).status).toBe(200);
            expect(await storage.getItem(`latchkey:${BASE}`)).not.toBe(stored);
            expect(service.count('rotated')).toBe(expiry);
        }
    });

    it.each([503, { status: 403, body: { error: 'Blocked by the gateway of your company' } }])(
        'goes on with a token that holds, if the service cannot renew it now: %j',
        async (mishap) => {
            await soon(request().login(ADA));
            await pass(53);
            service.mishaps = [mishap, mishap, mishap];
            expect((await orders(request())).status).toBe(200);
        },
    );

    it('answers requests of one browser side by side with one rotation', async () => {
        await soon(request().login(ADA));
        await pass(61);
        const cookie = await storage.getItem(`latchkey:${BASE}`);
        const each = Array.from({ length: 5 }, () => {
            const own = memoryStorage();
            own.setItem(`latchkey:${BASE}`, cookie!);
            return request({ storage: own }).fetch(`${BASE}/orders`);
        });
        expect((await soon(Promise.all(each))).every(({ status }) => status === 200)).toBe(true);
        expect(service.count('rotated')).toBe(1);
        expect(service.count('reused')).toBe(0);
    });

    it('renews for an answer that can store nothing, and the next one stores the same successor', async () => {
        await soon(request().login(ADA));
        await pass(61);
        const stored = await storage.getItem(`latchkey:${BASE}`);
        const page = request({ readOnly: true });
        expect((await orders(page)).status).toBe(200);
        expect((await orders(page)).status).toBe(200);
        expect(await storage.getItem(`latchkey:${BASE}`)).toBe(stored);
        await pass(3600);
        expect((await orders(request())).status).toBe(200);
        await pass(61);
        expect((await orders(request())).status).toBe(200);
        expect(service.log).toEqual(['login', 'rotated', 'replayed', 'rotated']);
    });

    it.each([10, 0])(
        'renews once for such an answer, whatever it asks for, with a grace of %d s',
        async (grace) => {
            service.grace = grace;
            await soon(request().login(ADA));
            await pass(53);
            const page = request({ readOnly: true });
            for (const path of ['/forbidden', '/never', '/orders']) await soon(page.fetch(BASE + path));
            expect((await orders(request())).status).toBe(200);
            await pass(61);
            expect((await orders(page)).status).toBe(401);
            expect((await orders(request())).status).toBe(200);
            expect(service.log).toEqual(['login', 'rotated', 'replayed', 'rotated']);
        },
    );

    it('forgets a session that has ended', async () => {
        await soon(request().login(ADA));
        service.endAll();
        expect(await failureOf(request().fetch(`${BASE}/orders`))).toMatchObject({ code: 'session_ended' });
        expect(await soon(request().session())).toBeNull();
    });

    it('signs up, signs out, lists and ends sessions', async () => {
        expect((await soon(request().signup(ADA))).user.email).toBe(ADA.email);
        expect(await soon(request().updateMe({ firstName: 'Ada' }))).toMatchObject({ firstName: 'Ada' });
        expect((await soon(request().session()))?.user.firstName).toBe('Ada');
        const passwords = { currentPassword: ADA.password, newPassword: 'Velvet-Harbour-Thimble' };
        expect(await soon(request().changePassword(passwords))).toBe(0);
        const [session] = await soon(request().sessions());
        await soon(request().endSession(session!.sessionId));
        expect(await soon(request().session())).toBeNull();
        await soon(request().login(ADA));
        await soon(request().logout());
        expect(await soon(request().session())).toBeNull();
        await soon(request().login(ADA));
        expect(await soon(request().revokeAll())).toBe(4);
        expect(await failureOf(request().me())).toMatchObject({ code: 'signed_out' });
    });

    describe('that is told of its visitor', () => {
        const secret = 'of the proxy';
        const sentBy = async (visitor: Visitor | undefined, call: (auth: ServerAuth) => Promise<unknown>) => {
            service.requests.length = 0;
            const auth = createServerAuth({ baseUrl: BASE, fetch: service.browser(), storage, visitor });
            await soon(call(auth).catch(() => null));
            return service.requests.map(({ headers }) => [
                headers.get('x-latchkey-proxy-secret'),
                headers.get('x-forwarded-for'),
                headers.get('x-forwarded-user-agent'),
            ]);
        };
        const visitor = { secret, address: '203.0.113.7', userAgent: 'Firefox' };

        it.each(['203.0.113.7', '2001:db8::7', '::ffff:203.0.113.7'])(
            'sends the address %s on',
            async (address) => {
                const all = [secret, address, 'Firefox'];
                expect(await sentBy({ ...visitor, address }, (auth) => auth.login(ADA))).toEqual([all]);
                await pass(61);
                expect(await sentBy({ ...visitor, address }, (auth) => auth.me())).toEqual([all, all]);
                expect(await sentBy({ ...visitor, address }, (auth) => auth.fetch('/auth/me'))).toEqual([all]);
                expect(await sentBy({ ...visitor, address }, (auth) => auth.logout())).toEqual([all]);
            },
        );

        it.each([
            ['no visitor', undefined],
            ['no secret', { ...visitor, secret: undefined }],
            ['an empty secret', { ...visitor, secret: '' }],
            ['no address', { ...visitor, address: null }],
            ['an empty address', { ...visitor, address: '' }],
            ['a list of addresses', { ...visitor, address: '203.0.113.7, 10.0.0.1' }],
            ['an address with a header in it', { ...visitor, address: '203.0.113.7\r\nx: y' }],
        ])('sends nothing on with %s', async (_, told) => {
            expect(await sentBy(told, (auth) => auth.login(ADA))).toEqual([[null, null, null]]);
        });

        it('sends the address without a user agent, if there is none', async () => {
            const told = { ...visitor, userAgent: null };
            expect(await sentBy(told, (auth) => auth.login(ADA))).toEqual([[secret, '203.0.113.7', null]]);
        });

        it('shows the secret to no other API, whatever its URL', async () => {
            await sentBy(visitor, (auth) => auth.login(ADA));
            for (const url of [
                `${BASE}/orders`,
                `${BASE}/auth/../orders`,
                `${BASE}/authority`,
                'https://api.example.com.evil.example/auth/me',
                'https://evil.example/auth/me',
            ]) {
                const sent = await sentBy(visitor, (auth) => auth.fetch(url));
                expect(sent.flat(), url).not.toContain(secret);
                const asRequest = await sentBy(visitor, (auth) => auth.fetch(new Request(url)));
                expect(asRequest.flat(), url).not.toContain(secret);
            }
        });

        it('shows it along no redirect', async () => {
            const fetch = vi.fn<typeof globalThis.fetch>(async () => new Response());
            const auth = createServerAuth({ baseUrl: BASE, fetch, storage, visitor });
            await soon(auth.fetch(`${BASE}/auth/me`));
            expect(fetch.mock.lastCall?.[1]?.redirect).toBe('manual');
        });
    });

    it('sends relative requests to the service', async () => {
        await soon(request().login(ADA));
        const fetch = vi.fn<typeof globalThis.fetch>(async () => new Response());
        const auth = createServerAuth({ baseUrl: BASE, fetch, storage });
        await soon(auth.fetch('/orders'));
        const [url, init] = fetch.mock.lastCall!;
        expect(url).toBe(`${BASE}/orders`);
        expect(new Headers(init?.headers).has('authorization')).toBe(true);
    });
});
