import { beforeEach, describe, expect, it, vi } from 'vitest';

import type { Auth, AuthState } from '../src/index.js';
import type { Renewal } from '../src/session.js';
import { Browser, FakeStorage } from './support/browser.js';
import { BASE, FakeService } from './support/service.js';
import { spellError } from './support/spelling.js';
import { failureOf, pass, soon } from './support/time.js';

const ADA = { email: 'ada@example.com', password: 'Lantern-Quartz-Meadow' };

let service: FakeService;

beforeEach(() => {
    vi.useFakeTimers();
    service = new FakeService();
});

const get = (auth: Auth) => auth.fetch(`${BASE}/orders`);

function changesOf(auth: Auth): Pick<AuthState, 'status' | 'reason' | 'elsewhere'>[] {
    const changes: Pick<AuthState, 'status' | 'reason' | 'elsewhere'>[] = [];
    auth.onChange(({ status, reason, elsewhere }) => changes.push({ status, reason, elsewhere }));
    return changes;
}

describe.each([
    ['Web Locks', true],
    ['a lease', false],
])('ten tabs with one localStorage and %s', (_, locks) => {
    it('go through expiries with one rotation for each', async () => {
        const browser = new Browser(service, { locks });
        const tabs = Array.from({ length: 10 }, () => browser.tab({ storage: 'localStorage' }));
        await soon(tabs[0]!.login(ADA));
        for (let expiry = 1; expiry <= 3; expiry += 1) {
            await pass(61);
            const answers = await soon(Promise.all(tabs.map(get)));
            expect(answers.map(({ status }) => status)).toEqual(tabs.map(() => 200));
            expect(service.count('rotated')).toBe(expiry);
        }
        expect(service.log).toEqual(['login', 'rotated', 'rotated', 'rotated']);
    });

    it('share what a failed refresh has taught one of them', async () => {
        const browser = new Browser(service, { locks });
        const tabs = Array.from({ length: 10 }, () => browser.tab({ storage: 'localStorage' }));
        await soon(tabs[0]!.login(ADA));
        await pass(61);
        service.mishaps = Array.from({ length: 99 }, () => 503);
        await soon(Promise.allSettled(tabs.map(get)));
        expect(service.refreshes().length).toBeLessThan(14);
        service.mishaps = [];
        await pass(31);
        const answers = await soon(Promise.all(tabs.map(get)));
        expect(answers.every(({ status }) => status === 200)).toBe(true);
        expect(service.count('rotated')).toBe(1);
    });
});

describe('a tab', () => {
    it('hears of a login, a renewal, a change of names and a logout in another one, and why', async () => {
        const browser = new Browser(service);
        const [here, there] = [browser.tab({ storage: 'localStorage' }), browser.tab({ storage: 'localStorage' })];
        await soon(here.session());
        const changes = changesOf(here);
        await soon(there.login(ADA));
        await pass(1);
        await soon(there.renew());
        await pass(1);
        await soon(there.updateMe({ displayName: 'Ada' }));
        await pass(1);
        expect(here.state.session?.user.displayName).toBe('Ada');
        await soon(there.logout());
        await pass(1);
        expect(changes.map(({ reason }) => reason)).toEqual([
            'signed-in',
            'renewed',
            'user-changed',
            'signed-out',
        ]);
        expect(changes.every(({ elsewhere }) => elsewhere)).toBe(true);
        expect((await soon(get(here))).status).toBe(401);
    });

    it('hears that the service ended the session, from the tab that found out', async () => {
        const browser = new Browser(service);
        const [here, there] = [browser.tab({ storage: 'localStorage' }), browser.tab({ storage: 'localStorage' })];
        await soon(there.login(ADA));
        await soon(here.session());
        service.endAll();
        await soon(get(there).catch(() => null));
        await pass(1);
        expect(here.state).toMatchObject({ status: 'signed-out', reason: 'session-ended', elsewhere: true });
        expect(here.state.error).toMatchObject({ code: 'session_ended', status: 401 });
    });

    it('is signed out, and the service told, though a listener of the page throws', async () => {
        const browser = new Browser(service);
        const [here, there] = [browser.tab({ storage: 'localStorage' }), browser.tab({ storage: 'localStorage' })];
        await soon(here.login(ADA));
        await pass(1);
        here.onChange(() => {
            throw new Error('of a listener');
        });
        const changes = changesOf(here);
        const logout = here.logout();
        // It is reported like any other error that nobody has caught.
        await expect(pass(1)).rejects.toThrow('of a listener');
        await soon(logout);
        await pass(1);
        expect(changes).toHaveLength(1);
        expect(there.state.status).toBe('signed-out');
        expect(service.count('logout')).toBe(1);
    });

    it('notices that the storage was cleared by hand', async () => {
        const browser = new Browser(service);
        const auth = browser.tab({ storage: 'localStorage' });
        await soon(auth.login(ADA));
        browser.local.clear();
        window.dispatchEvent(Object.assign(new Event('storage'), { key: null }));
        await pass(1);
        expect(auth.state).toMatchObject({ status: 'signed-out', reason: 'signed-out', elsewhere: true });
    });

    it('that hears no more still signs in and out', async () => {
        const browser = new Browser(service);
        const auth = browser.tab({ storage: 'localStorage' });
        auth.close();
        expect((await soon(auth.login(ADA))).user.email).toBe(ADA.email);
        await soon(auth.logout());
        expect(auth.state.status).toBe('signed-out');
    });

    it('does not mind what is in the storage under other names', async () => {
        const browser = new Browser(service);
        const auth = browser.tab({ storage: 'localStorage' });
        await soon(auth.login(ADA));
        const read = vi.spyOn(browser.local, 'getItem');
        window.dispatchEvent(Object.assign(new Event('storage'), { key: 'other' }));
        await pass(1);
        expect(read).not.toHaveBeenCalled();
    });

    it('of a memory of its own is signed out by revoke-all of the same user, and by nothing else', async () => {
        const browser = new Browser(service);
        const [ada, too, bob] = [browser.tab(), browser.tab(), browser.tab()];
        await soon(ada.login(ADA));
        await soon(too.login(ADA));
        await soon(bob.login({ ...ADA, email: 'bob@example.com' }));
        await soon(ada.logout());
        await pass(1);
        expect([too, bob].map(({ state }) => state.status)).toEqual(['signed-in', 'signed-in']);
        expect(await soon(too.revokeAll())).toBe(3);
        await soon(ada.login(ADA));
        const again = browser.tab();
        await soon(again.login(ADA));
        await soon(again.revokeAll());
        await pass(1);
        expect([ada, bob].map(({ state }) => state.status)).toEqual(['signed-out', 'signed-in']);
    });
});

describe('a duplicated tab, which begins with a copy of sessionStorage', () => {
    it('follows the renewals of the first', async () => {
        const browser = new Browser(service);
        const storage = new FakeStorage();
        const first = browser.tab({ storage: 'sessionStorage' }, storage);
        await soon(first.login(ADA));
        const second = browser.tab({ storage: 'sessionStorage' }, storage.copy());
        await soon(second.session());
        for (let expiry = 0; expiry < 6; expiry += 1) {
            await pass(61);
            const answers = await soon(Promise.all([get(first), get(second)]));
            expect(answers.map(({ status }) => status)).toEqual([200, 200]);
        }
        expect(service.count('rotated')).toBe(6);
        expect(service.count('reused')).toBe(0);
    });

    it('asks the first, if it was not there when the session was renewed', async () => {
        const browser = new Browser(service);
        const storage = new FakeStorage();
        const first = browser.tab({ storage: 'sessionStorage' }, storage);
        await soon(first.login(ADA));
        const copy = storage.copy();
        for (let expiry = 0; expiry < 3; expiry += 1) {
            await pass(61);
            await soon(get(first));
        }
        const second = browser.tab({ storage: 'sessionStorage' }, copy);
        expect((await soon(get(second))).status).toBe(200);
        expect(service.log).toEqual(['login', 'rotated', 'rotated', 'rotated']);
        expect(second.state.session).toEqual(first.state.session);
    });
});

describe.each([
    ['sessionStorage', 'body', { storage: 'sessionStorage' }],
    ['cookie delivery', 'cookie', { delivery: 'cookie' }],
] as const)('a logout while a tab with %s asks the others for a renewal', (_, delivery, options) => {
    it.each([
        ['told', false],
        ['not told', true],
    ])('stands, if the service is %s', async (_, offline) => {
        service.delivery = delivery;
        const browser = new Browser(service);
        const real = service.browser();
        const fetch: typeof globalThis.fetch = async (input, init) => {
            if (offline && input === `${BASE}/auth/logout`) throw new TypeError('offline');
            return await real(input, init);
        };
        const storage = new FakeStorage();
        const here = browser.tab({ ...options, fetch }, storage);
        const there = browser.tab({ ...options, fetch });
        await soon(here.login(ADA));
        await pass(56);
        const renewing = failureOf(here.renew());
        await pass(0.03);
        await failureOf(here.logout());
        expect(await renewing).toMatchObject({ code: 'signed_out' });
        await pass(5);
        expect(here.state.status).toBe('signed-out');
        expect(there.state.session).toBeNull();
        expect((await soon(get(here))).status).toBe(401);
        here.close();
        expect(await soon(browser.tab({ ...options, fetch }, storage).session())).toBeNull();
    });
});

describe('cookie delivery that one tab finds out', () => {
    beforeEach(() => {
        service.delivery = 'cookie';
    });

    it.each(['memory', 'sessionStorage', 'localStorage'] as const)(
        'is heard by the others with a login, storage %s',
        async (storage) => {
            const browser = new Browser(service);
            const [here, there] = [browser.tab({ storage }), browser.tab({ storage })];
            expect(await soon(there.session())).toBeNull();
            const changes = changesOf(there);
            await soon(here.login(ADA));
            await pass(1);
            expect(changes).toEqual([{ status: 'signed-in', reason: 'signed-in', elsewhere: true }]);
            expect(there.state.session?.token).toBe(here.state.session?.token);
            await pass(61);
            expect((await soon(get(there))).status).toBe(200);
            expect(service.count('rotated')).toBe(1);
            await soon(there.logout());
            await pass(1);
            expect(here.state).toMatchObject({ status: 'signed-out', elsewhere: true });
        },
    );

    it('is heard by a tab that has not looked yet', async () => {
        const browser = new Browser(service);
        const [here, there] = [browser.tab(), browser.tab()];
        await soon(here.login(ADA));
        await pass(1);
        expect((await soon(there.session()))?.token).toBe(here.state.session?.token);
        expect(service.refreshes()).toHaveLength(0);
    });

    it.each([
        ['with delivery found out', {}],
        ['with delivery named', { delivery: 'cookie' }],
    ] as const)('is heard by storage events, where there are no channels, %s', async (_, options) => {
        const browser = new Browser(service);
        vi.stubGlobal('BroadcastChannel', undefined);
        const [here, there] = [browser.tab(options), browser.tab(options)];
        expect(await soon(there.session())).toBeNull();
        const write = () =>
            window.dispatchEvent(Object.assign(new Event('storage'), { key: `latchkey:${BASE}:cookie` }));
        service.log.length = 0;
        await soon(here.login(ADA));
        write();
        await pass(5);
        expect(there.state).toMatchObject({ status: 'signed-in', session: { user: { email: ADA.email } } });
        expect(service.log).toEqual(['login', 'rotated']);
        // A renewal is no login: nobody asks the service because of it.
        await soon(here.renew());
        write();
        await pass(5);
        expect(service.count('rotated')).toBe(2);
        const loggedOut = here.logout();
        await pass(0.001);
        write();
        await soon(loggedOut);
        await pass(1);
        expect(there.state).toMatchObject({ status: 'signed-out', reason: 'signed-out', elsewhere: true });
        expect((await soon(get(there))).status).toBe(401);
    });

    it('does not take the place of a session that a tab has with bodies', async () => {
        const browser = new Browser(service);
        service.delivery = 'body';
        const [mine, other] = [browser.tab(), browser.tab()];
        await soon(mine.login({ ...ADA, email: 'bob@example.com' }));
        service.delivery = 'cookie';
        await soon(other.login(ADA));
        await pass(1);
        expect(mine.state.session?.user.email).toBe('bob@example.com');
    });

    it('is not followed by a tab whose delivery is named as bodies', async () => {
        const browser = new Browser(service);
        const [here, there] = [browser.tab(), browser.tab({ delivery: 'body' })];
        await soon(there.session());
        await soon(here.login(ADA));
        await pass(1);
        expect(there.state.status).toBe('signed-out');
    });
});

describe('tabs with one storage of the application’s', () => {
    /** As IndexedDB would be: every tab sees the same. */
    const shared = (items = new FakeStorage()) => ({
        getItem: (key: string) => Promise.resolve(items.getItem(key)),
        setItem: async (key: string, value: string) => {
            items.setItem(key, value);
        },
        removeItem: async (key: string) => {
            items.removeItem(key);
        },
    });

    it('hear of a login, a renewal, a logout and the end of the session, and why', async () => {
        const browser = new Browser(service);
        const items = new FakeStorage();
        const [here, there] = [browser.tab({ storage: shared(items) }), browser.tab({ storage: shared(items) })];
        await soon(here.session());
        const changes = changesOf(here);
        await soon(there.login(ADA));
        await pass(1);
        await soon(there.renew());
        await pass(1);
        expect(here.state.session?.token).toBe(there.state.session?.token);
        await soon(there.logout());
        await pass(1);
        await soon(there.login(ADA));
        await pass(1);
        service.endAll();
        await failureOf(there.renew());
        await pass(1);
        expect(changes.map(({ reason }) => reason)).toEqual([
            'signed-in',
            'renewed',
            'signed-out',
            'signed-in',
            'session-ended',
        ]);
        expect(changes.every(({ elsewhere }) => elsewhere)).toBe(true);
        expect(items.length).toBe(0);
    });

    it('share the renewals', async () => {
        const browser = new Browser(service);
        const items = new FakeStorage();
        const tabs = Array.from({ length: 5 }, () => browser.tab({ storage: shared(items) }));
        await soon(tabs[0]!.login(ADA));
        await pass(61);
        const answers = await soon(Promise.all(tabs.map(get)));
        expect(answers.every(({ status }) => status === 200)).toBe(true);
        expect(service.log).toEqual(['login', 'rotated']);
    });

    it('that is each tab’s own after all, keep their sessions, but for revoke-all of the same user', async () => {
        const browser = new Browser(service);
        const items = [new FakeStorage(), new FakeStorage(), new FakeStorage()];
        const [ada, too, bob] = items.map((own) => browser.tab({ storage: shared(own) })) as [Auth, Auth, Auth];
        await soon(ada.login(ADA));
        await soon(too.login(ADA));
        await soon(bob.login({ ...ADA, email: 'bob@example.com' }));
        await pass(1);
        expect([ada, too, bob].map(({ state }) => state.session?.user.email)).toEqual([
            ADA.email,
            ADA.email,
            'bob@example.com',
        ]);
        await soon(ada.logout());
        await pass(1);
        expect([too, bob].map(({ state }) => state.status)).toEqual(['signed-in', 'signed-in']);
        await soon(ada.login(ADA));
        await soon(ada.revokeAll());
        await pass(1);
        expect([too, bob].map(({ state }) => state.status)).toEqual(['signed-out', 'signed-in']);
        expect(items.map(({ length }) => length)).toEqual([0, 0, 1]);
    });
});

describe('a logout while the storage cannot be read', () => {
    const fail = (browser: Browser, method: 'getItem' | 'removeItem') =>
        vi.spyOn(browser.local, method).mockImplementation(() => {
            throw new DOMException('denied', 'SecurityError');
        });

    it('signs out here, in the other tabs and at the service', async () => {
        const browser = new Browser(service);
        const auth = browser.tab({ storage: 'localStorage' });
        await soon(auth.login(ADA));
        const read = fail(browser, 'getItem');
        await soon(auth.logout());
        expect(auth.state).toMatchObject({ status: 'signed-out', reason: 'signed-out' });
        expect(service.count('logout')).toBe(1);
        expect([...service.chains.values()].every(({ ended }) => ended)).toBe(true);
        read.mockRestore();
        expect(await soon(auth.session())).toBeNull();
        expect(browser.local.length).toBe(0);
    });

    it('says so if the session could not be taken away either, and signs out all the same', async () => {
        const browser = new Browser(service);
        const auth = browser.tab({ storage: 'localStorage' });
        await soon(auth.login(ADA));
        fail(browser, 'getItem');
        fail(browser, 'removeItem');
        expect(await failureOf(auth.logout())).toMatchObject({ code: 'storage_failed' });
        expect(auth.state.status).toBe('signed-out');
        expect(service.count('logout')).toBe(1);
    });

    it('of which nothing is known says so, and leaves nothing', async () => {
        const browser = new Browser(service);
        const former = browser.tab({ storage: 'localStorage' });
        await soon(former.login(ADA));
        former.close();
        fail(browser, 'getItem');
        const auth = browser.tab({ storage: 'localStorage' });
        expect(await failureOf(auth.logout())).toMatchObject({ code: 'storage_failed' });
        expect(auth.state.status).toBe('signed-out');
        expect(browser.local.length).toBe(0);
    });

    it('with cookie delivery tells the service by the cookie', async () => {
        service.delivery = 'cookie';
        const browser = new Browser(service);
        const former = browser.tab({ delivery: 'cookie' });
        await soon(former.login(ADA));
        former.close();
        const auth = browser.tab({ delivery: 'cookie' });
        fail(browser, 'getItem');
        await soon(auth.logout());
        expect(auth.state.status).toBe('signed-out');
        expect([...service.chains.values()].every(({ ended }) => ended)).toBe(true);
    });
});

describe('cookie delivery', () => {
    beforeEach(() => {
        service.delivery = 'cookie';
    });

    it('keeps the tokens out of every storage, and the session over a reload', async () => {
        const browser = new Browser(service);
        const auth = browser.tab({ delivery: 'cookie' });
        const session = await soon(auth.login(ADA));
        expect(session.refreshToken).toBeNull();
        expect(JSON.stringify([...browser.local.items])).not.toContain(session.token.split('.')[1]);
        expect(JSON.stringify([...browser.local.items])).not.toContain('ada@example.com');
        auth.close();
        const reloaded = browser.tab({ delivery: 'cookie' });
        expect(reloaded.state.status).toBe('unknown');
        expect((await soon(reloaded.session()))?.user.email).toBe('ada@example.com');
        expect(service.log).toEqual(['login', 'rotated']);
    });

    it('is found out from the first answer, and remembered for the next page', async () => {
        const browser = new Browser(service);
        const auth = browser.tab({ storage: 'localStorage' });
        await soon(auth.login(ADA));
        await pass(61);
        expect((await soon(get(auth))).status).toBe(200);
        auth.close();
        const reloaded = browser.tab({ storage: 'localStorage' });
        expect((await soon(reloaded.session()))?.user.email).toBe('ada@example.com');
    });

    it('of another origin has to be named, as the browser has not kept the cookie, and this is said', async () => {
        vi.stubGlobal('location', { href: 'https://app.example.com/' });
        const browser = new Browser(service);
        const auth = browser.tab({ storage: 'localStorage' });
        await expect(soon(auth.login(ADA))).rejects.toMatchObject({
            code: 'bad_answer',
            message: expect.stringContaining('delivery: "cookie"') as string,
        });
        expect((await soon(browser.tab({ delivery: 'cookie' }).login(ADA))).user.email).toBe(ADA.email);
    });

    it('takes over a session whose refresh token was in bodies before', async () => {
        service.delivery = 'body';
        const browser = new Browser(service);
        const auth = browser.tab({ storage: 'localStorage' });
        await soon(auth.login(ADA));
        service.delivery = 'cookie';
        for (let expiry = 0; expiry < 3; expiry += 1) {
            await pass(61);
            expect((await soon(get(auth))).status).toBe(200);
        }
        expect(service.count('rotated')).toBe(3);
        expect(browser.local.getItem(`latchkey:${BASE}`)).toBeNull();
    });

    it('is no more once the service has delivered in bodies again: the next page stores as its options say', async () => {
        const browser = new Browser(service);
        const first = browser.tab({ storage: 'localStorage' });
        await soon(first.login(ADA));
        first.close();
        service.delivery = 'body';
        const found = [];
        for (let reload = 0; reload < 4; reload += 1) {
            // The browser sends no cookie to a service that sets none.
            const auth = browser.tab({ storage: 'localStorage', fetch: service.browser() });
            found.push((await soon(auth.session()))?.user.email);
            await soon(auth.login(ADA));
            await soon(auth.renew());
            expect((await soon(get(auth))).status).toBe(200);
            auth.close();
        }
        expect(found).toEqual([undefined, undefined, ADA.email, ADA.email]);
    });

    it('shares access tokens among tabs: one rotation for each expiry', async () => {
        const browser = new Browser(service);
        const tabs = Array.from({ length: 10 }, () => browser.tab({ delivery: 'cookie' }));
        await soon(tabs[0]!.login(ADA));
        await pass(1);
        for (let expiry = 1; expiry <= 3; expiry += 1) {
            await pass(61);
            const answers = await soon(Promise.all(tabs.map(get)));
            expect(answers.every(({ status }) => status === 200)).toBe(true);
            expect(service.count('rotated')).toBe(expiry);
        }
    });

    it('gives a new tab the access token of the others', async () => {
        const browser = new Browser(service);
        const first = browser.tab({ delivery: 'cookie' });
        await soon(first.login(ADA));
        const second = browser.tab({ delivery: 'cookie' });
        expect((await soon(second.session()))?.token).toBe(first.state.session?.token);
        expect(service.refreshes()).toHaveLength(0);
    });

    it('sends its key where the authorizer may rotate the cookie, and nowhere else', async () => {
        const browser = new Browser(service);
        const auth = browser.tab({ delivery: 'cookie' });
        await soon(auth.login(ADA));
        await soon(auth.me());
        await soon(auth.fetch(`${BASE}/auth/sessions`));
        await soon(get(auth));
        const sent = service.requests.map(({ headers }) => headers.get('x-refresh-idempotency-key'));
        const marks = JSON.parse(browser.local.getItem(`latchkey:${BASE}:cookie`)!) as { renewal: Renewal };
        const { idempotencyKey } = marks.renewal;
        expect(sent).toEqual([null, idempotencyKey, idempotencyKey, null]);
    });

    it('asks once whether anybody is signed in', async () => {
        const browser = new Browser(service);
        const auth = browser.tab({ delivery: 'cookie' });
        expect(await soon(auth.session())).toBeNull();
        expect(auth.state).toMatchObject({ status: 'signed-out', reason: 'restored', error: null });
        for (let request = 0; request < 3; request += 1) expect((await soon(get(auth))).status).toBe(401);
        expect(await soon(auth.session())).toBeNull();
        expect(service.refreshes()).toHaveLength(1);
    });

    it('ends, or is not there, by the word of the service that the page is not its own', async () => {
        const browser = new Browser(service);
        const auth = browser.tab({ delivery: 'cookie' });
        await soon(auth.login(ADA));
        const crossSite = { status: 403, body: spellError('camel', 'forbidden') };
        service.mishaps = [crossSite, crossSite];
        expect(await failureOf(auth.renew())).toMatchObject({ code: 'session_ended', status: 403 });
        expect(auth.state).toMatchObject({ status: 'signed-out', reason: 'session-ended' });
        auth.close();
        const reloaded = browser.tab({ delivery: 'cookie' });
        expect(await soon(reloaded.session())).toBeNull();
        expect(reloaded.state).toMatchObject({ status: 'signed-out', reason: 'restored' });
    });

    it('is still asked about after a proxy has answered', async () => {
        const browser = new Browser(service);
        const auth = browser.tab({ delivery: 'cookie' });
        await soon(auth.login(ADA));
        auth.close();
        const blocked = { status: 403, body: { error: 'Blocked by the gateway of your company' } };
        service.mishaps = [blocked, blocked, blocked];
        const reloaded = browser.tab({ delivery: 'cookie' });
        expect(await failureOf(reloaded.session())).toMatchObject({ code: 'bad_answer', temporary: true });
        expect(reloaded.state.status).toBe('unknown');
        await pass(30);
        expect((await soon(reloaded.session()))?.user.email).toBe('ada@example.com');
    });

    it('repeats a refresh that a reload has cut off with the same key', async () => {
        const browser = new Browser(service);
        const auth = browser.tab({ delivery: 'cookie' });
        await soon(auth.login(ADA));
        service.mishaps = ['hangs'];
        void auth.renew().catch(() => null);
        await pass(1);
        const reloaded = new Browser(browser).tab({ delivery: 'cookie' });
        expect((await soon(reloaded.session()))?.user.email).toBe('ada@example.com');
        expect(service.count('replayed')).toBe(1);
        expect(service.count('rotated')).toBe(1);
        expect(service.count('reused')).toBe(0);
    });

    it('signs out here and at the service though the storage is full, and says that it is', async () => {
        const browser = new Browser(service);
        const auth = browser.tab({ delivery: 'cookie' });
        await soon(auth.login(ADA));
        vi.spyOn(browser.local, 'setItem').mockImplementation(() => {
            throw new DOMException('full', 'QuotaExceededError');
        });
        expect(await failureOf(auth.logout())).toMatchObject({ code: 'storage_failed' });
        expect(auth.state).toMatchObject({ status: 'signed-out', reason: 'signed-out' });
        expect(service.log).toEqual(['login', 'logout']);
        expect((await soon(get(auth))).status).toBe(401);
    });

    it('signs the other tabs out, and the next page too, even if the service could not be told', async () => {
        const browser = new Browser(service);
        const [first, second] = [browser.tab({ delivery: 'cookie' }), browser.tab({ delivery: 'cookie' })];
        await soon(first.login(ADA));
        await pass(1);
        const offline = browser.tab({ delivery: 'cookie', fetch: () => Promise.reject(new TypeError('offline')) });
        await pass(1);
        await soon(offline.session().catch(() => null));
        await expect(soon(offline.logout())).rejects.toMatchObject({ code: 'network_error' });
        await pass(1);
        expect([first, second].map(({ state }) => state.status)).toEqual(['signed-out', 'signed-out']);
        expect(await soon(browser.tab({ delivery: 'cookie' }).session())).toBeNull();
        expect(service.refreshes()).toHaveLength(0);
        await soon(first.login(ADA));
        expect((await soon(get(first))).status).toBe(200);
    });
});
