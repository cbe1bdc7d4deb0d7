import { beforeEach, describe, expect, it, vi } from 'vitest';

import { createAuth, type StorageName } from '../src/index.js';
import { leaseLock, lockFor } from '../src/lock.js';
import { webStorage } from '../src/storage.js';
import { Browser, FakeStorage } from './support/browser.js';
import { BASE, FakeService } from './support/service.js';
import { failureOf, soon } from './support/time.js';

const ADA = { email: 'ada@example.com', password: 'Lantern-Quartz-Meadow' };
const NAMES = ['localStorage', 'sessionStorage'] as const;

let service: FakeService;

beforeEach(() => {
    vi.useFakeTimers();
    service = new FakeService();
});

function throwing(name: string): void {
    Object.defineProperty(globalThis, name, {
        configurable: true,
        get() {
            throw new DOMException('denied', 'SecurityError');
        },
    });
}

const denied = () => {
    throw new DOMException('denied', 'SecurityError');
};

describe.each(NAMES)('%s', (storage) => {
    it.each<[string, object]>([
        ['no methods, as in Node.js 25', {}],
        ['no methods and a null prototype', Object.create(null) as object],
        ['one method', { getItem: () => null }],
        ['methods that are no functions', { getItem: 1, setItem: 2, removeItem: 3 }],
    ])('with %s is no storage: the session is in memory', async (_, value) => {
        new Browser(service);
        vi.stubGlobal('localStorage', value);
        vi.stubGlobal('sessionStorage', value);
        vi.stubGlobal('navigator', {});
        expect(webStorage(storage)).toBeNull();
        const auth = createAuth({ baseUrl: BASE, fetch: service.browser(), storage });
        await soon(auth.login(ADA));
        expect((await soon(auth.session()))?.user.email).toBe(ADA.email);
        auth.close();
    });

    it.each(['body', 'cookie', undefined] as const)(
        'whose mention throws is none, delivery %s',
        async (delivery) => {
            new Browser(service);
            for (const name of NAMES) throwing(name);
            const options = { baseUrl: BASE, fetch: service.browser(), storage };
            const auth = createAuth(delivery === undefined ? options : { ...options, delivery });
            if (delivery === 'cookie') service.delivery = 'cookie';
            expect((await soon(auth.login(ADA))).user.email).toBe(ADA.email);
            auth.close();
            for (const name of NAMES) vi.stubGlobal(name, undefined);
        },
    );

    it('whose methods throw does not keep a client from being made', async () => {
        new Browser(service);
        const broken = { getItem: denied, setItem: denied, removeItem: denied };
        for (const name of NAMES) vi.stubGlobal(name, broken);
        const auth = createAuth({ baseUrl: BASE, fetch: service.browser(), storage });
        expect(await failureOf(auth.session())).toMatchObject({ code: 'storage_failed' });
        expect(auth.state.error).toMatchObject({ code: 'storage_failed' });
        auth.close();
    });
});

it('a lease in a storage whose methods throw is done without', async () => {
    const storage = new FakeStorage();
    for (const method of ['getItem', 'setItem', 'removeItem'] as const) {
        vi.spyOn(storage, method).mockImplementation(denied);
    }
    expect(await soon(leaseLock(storage, 'name').run(() => Promise.resolve(1)))).toBe(1);
});

describe('on a server', () => {
    /** What Node.js 25, Deno and Bun have and have not. */
    const RUNTIMES: [string, Record<string, unknown>][] = [
        ['Node.js 20', { localStorage: undefined, sessionStorage: undefined }],
        ['Node.js 25', { localStorage: {}, sessionStorage: new FakeStorage(), navigator: { locks: undefined } }],
        ['Node.js with a file for it', { localStorage: new FakeStorage(), sessionStorage: new FakeStorage() }],
        ['Deno', { localStorage: new FakeStorage(), sessionStorage: new FakeStorage(), Deno: {} }],
        ['Workers', { localStorage: undefined, WorkerGlobalScope: Object, navigator: undefined }],
    ];

    beforeEach(() => {
        for (const name of ['window', 'document', 'location']) vi.stubGlobal(name, undefined);
    });

    describe.each(RUNTIMES)('as %s', (_, globals) => {
        beforeEach(() => {
            for (const [name, value] of Object.entries(globals)) vi.stubGlobal(name, value);
        });

        it.each<StorageName>(['localStorage', 'sessionStorage'])(
            'a client with %s can be made, shares no session and sends no password',
            async (storage) => {
                const auth = createAuth({ baseUrl: BASE, fetch: service.browser(), storage });
                expect(await soon(auth.session())).toBeNull();
                for (const call of [auth.login, auth.signup]) {
                    const error = await failureOf(call(ADA));
                    expect(error).toMatchObject({ code: 'storage_failed', temporary: false });
                    expect((error as Error).message).toContain('createServerAuth');
                }
                expect(service.requests).toHaveLength(0);
                expect((await soon(auth.fetch(`${BASE}/orders`))).status).toBe(401);
            },
        );

        it('a session that a file holds is not used for every visitor', async () => {
            const { localStorage } = globals as { localStorage?: FakeStorage };
            const session = {
                token: 'a.b.c',
                refreshToken: 'd.e.f',
                expiresAt: 9e15,
                storedAt: 1,
                user: { userId: 'u' },
            };
            const renewal = { idempotencyKey: 'k' };
            if (localStorage?.setItem)
                localStorage.setItem(`latchkey:${BASE}`, JSON.stringify({ ...session, renewal }));
            const auth = createAuth({ baseUrl: BASE, fetch: service.browser(), storage: 'localStorage' });
            expect(await soon(auth.session())).toBeNull();
        });

        it('a script signs in with a memory of its own, or a storage of its own', async () => {
            const items = new Map<string, string>();
            const own = {
                getItem: (key: string) => items.get(key),
                setItem: (key: string, value: string) => void items.set(key, value),
                removeItem: (key: string) => void items.delete(key),
            };
            for (const storage of ['memory', own] as const) {
                const auth = createAuth({ baseUrl: BASE, fetch: service.browser(), storage });
                expect((await soon(auth.login(ADA))).user.email).toBe(ADA.email);
                expect((await soon(auth.fetch(`${BASE}/orders`))).status).toBe(200);
                await soon(auth.logout());
            }
        });
    });
});

it('a worker of a page is no server, and keeps its session in memory', async () => {
    vi.stubGlobal('location', { href: 'https://app.example.com/worker.js' });
    vi.stubGlobal('localStorage', undefined);
    const auth = createAuth({
        baseUrl: BASE,
        fetch: service.browser(),
        storage: 'localStorage',
        delivery: 'body',
    });
    expect((await soon(auth.login(ADA))).user.email).toBe(ADA.email);
    expect(lockFor('name')).toBeDefined();
});
