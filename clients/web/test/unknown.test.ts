import { beforeEach, describe, expect, it, vi } from 'vitest';

import { createAuth, type Auth, type AuthState, type KeyValueStorage } from '../src/index.js';
import { Browser, FakeStorage } from './support/browser.js';
import { BASE, FakeService } from './support/service.js';
import { failureOf, pass, soon } from './support/time.js';

const ADA = { email: 'ada@example.com', password: 'Lantern-Quartz-Meadow' };

let service: FakeService;
let browser: Browser;

beforeEach(() => {
    vi.useFakeTimers();
    service = new FakeService();
    service.delivery = 'cookie';
    browser = new Browser(service);
});

/** A page of a user who is signed in by a cookie, before anything is known. */
async function newPage(): Promise<Auth> {
    const former = browser.tab({ delivery: 'cookie' });
    await soon(former.login(ADA));
    former.close();
    return browser.tab({ delivery: 'cookie' });
}

function statesOf(auth: Auth): AuthState[] {
    const states: AuthState[] = [];
    auth.onChange((state) => states.push(state));
    return states;
}

const away = (times: number) => Array.from({ length: times }, () => 503);

describe('a first refresh that fails', () => {
    it('is in the state, which stays unknown', async () => {
        service.mishaps = away(9);
        const auth = await newPage();
        const states = statesOf(auth);
        const error = await failureOf(auth.session());
        expect(auth.state).toMatchObject({ status: 'unknown', session: null, reason: null, elsewhere: false });
        expect(auth.state.error).toBe(error);
        expect(states).toEqual([auth.state]);
    });

    it.each([['request-lost'], ['hangs'], ['garbage'], [503], [429]] as const)(
        'by %s is repeated after a while, until something is known',
        async (mishap) => {
            service.mishaps = [mishap, mishap, mishap, mishap];
            const auth = await newPage();
            const states = statesOf(auth);
            auth.session().catch(() => null);
            await pass(180);
            expect(auth.state).toMatchObject({ status: 'signed-in', error: null });
            expect(states.at(-1)?.status).toBe('signed-in');
            expect(service.count('reused')).toBe(0);
        },
    );

    it('is repeated, whichever call was the first', async () => {
        for (const first of ['fetch', 'me', 'renew', 'getAccessToken'] as const) {
            service.mishaps = away(3);
            const auth = await newPage();
            await failureOf(first === 'fetch' ? auth.fetch(`${BASE}/orders`) : auth[first]());
            expect(auth.state.error, first).toMatchObject({ status: 503 });
            await pass(60);
            expect(auth.state.status, first).toBe('signed-in');
            auth.close();
        }
    });

    it('is repeated at growing intervals', async () => {
        service.mishaps = away(500);
        const auth = await newPage();
        await failureOf(auth.session());
        await pass(60);
        const sent = service.refreshes().length;
        await pass(600);
        expect(service.refreshes().length - sent).toBeGreaterThan(5);
        expect(service.refreshes().length - sent).toBeLessThan(100);
    });

    it('is repeated as late as the service asks', async () => {
        service.mishaps = [503];
        service.retryAfter = '120';
        const auth = await newPage();
        await failureOf(auth.session());
        await pass(110);
        expect(auth.state).toMatchObject({ status: 'unknown', error: { status: 503 } });
        window.dispatchEvent(new Event('online'));
        await pass(1);
        expect(service.refreshes()).toHaveLength(1);
        await pass(60);
        expect(auth.state.status).toBe('signed-in');
    });

    it('is repeated at once when the machine is online again', async () => {
        service.mishaps = Array.from({ length: 200 }, () => 'request-lost' as const);
        const auth = await newPage();
        await failureOf(auth.session());
        await pass(600);
        service.mishaps = [];
        window.dispatchEvent(new Event('online'));
        await pass(0.5);
        expect(auth.state.status).toBe('signed-in');
    });

    it('is repeated when the page is visible again, and not while nobody sees it', async () => {
        const view = Object.assign(new EventTarget(), { visibilityState: 'hidden', baseURI: `${BASE}/` });
        vi.stubGlobal('document', view);
        service.mishaps = Array.from({ length: 200 }, () => 'request-lost' as const);
        const auth = await newPage();
        await failureOf(auth.session());
        const sent = service.refreshes().length;
        await pass(600);
        expect(service.refreshes()).toHaveLength(sent);
        service.mishaps = [];
        view.dispatchEvent(new Event('visibilitychange'));
        await pass(1);
        expect(service.refreshes()).toHaveLength(sent);
        view.visibilityState = 'visible';
        view.dispatchEvent(new Event('visibilitychange'));
        await pass(0.5);
        expect(auth.state.status).toBe('signed-in');
    });

    it('is not repeated by a client that has been closed', async () => {
        service.mishaps = away(500);
        const auth = await newPage();
        await failureOf(auth.session());
        auth.close();
        const sent = service.refreshes().length;
        await pass(600);
        window.dispatchEvent(new Event('online'));
        await pass(60);
        expect(service.refreshes()).toHaveLength(sent);
    });

    it('is over with a login, and with the word that nobody is signed in', async () => {
        service.mishaps = away(3);
        const auth = await newPage();
        await failureOf(auth.session());
        await soon(auth.login(ADA));
        const sent = service.refreshes().length;
        expect(auth.state).toMatchObject({ status: 'signed-in', error: null });
        await pass(50);
        expect(service.refreshes()).toHaveLength(sent);
        service.mishaps = away(3);
        const stranger = new Browser(service).tab({ delivery: 'cookie' });
        await failureOf(stranger.session());
        await pass(60);
        expect(stranger.state).toMatchObject({ status: 'signed-out', error: null });
    });
});

describe('a first look at the storage', () => {
    const options = { delivery: 'body', baseUrl: BASE } as const;

    /** A storage with the session of a user, which can be read when `works` says so. */
    async function storageOf(works: () => boolean | Promise<boolean>): Promise<KeyValueStorage> {
        service.delivery = 'body';
        const items = new FakeStorage();
        await soon(createAuth({ ...options, fetch: service.browser(), storage: items }).login(ADA));
        return {
            getItem: async (key) => {
                if (!(await works())) throw new Error('locked');
                return items.getItem(key);
            },
            setItem: (key, value) => {
                items.setItem(key, value);
            },
            removeItem: (key) => {
                items.removeItem(key);
            },
        };
    }

    it('that fails is in the state and repeated', async () => {
        let works = false;
        const storage = await storageOf(() => works);
        const auth = browser.tab({ ...options, storage });
        expect(await failureOf(auth.session())).toMatchObject({ code: 'storage_failed' });
        expect(auth.state).toMatchObject({ status: 'unknown', error: { code: 'storage_failed' } });
        await pass(60);
        expect(auth.state.status).toBe('unknown');
        works = true;
        await pass(40);
        expect(auth.state).toMatchObject({ status: 'signed-in', error: null });
        expect(service.refreshes()).toHaveLength(0);
    });

    it('that never answers is an error after some seconds, and repeated', async () => {
        let works = false;
        const storage = await storageOf(() => works || new Promise<boolean>(() => undefined));
        const auth = browser.tab({ ...options, storage });
        expect(await failureOf(auth.session())).toMatchObject({ code: 'storage_failed' });
        works = true;
        await pass(60);
        expect(auth.state.status).toBe('signed-in');
    });

    it('that fails is repeated when the machine wakes up', async () => {
        let works = false;
        const storage = await storageOf(() => works);
        const auth = browser.tab({ ...options, storage });
        await failureOf(auth.session());
        await pass(300);
        works = true;
        window.dispatchEvent(new Event('visibilitychange'));
        await pass(0.5);
        expect(auth.state.status).toBe('signed-in');
    });

    it('with cookie delivery that cannot be written is in the state and repeated', async () => {
        const auth = await newPage();
        const full = vi.spyOn(browser.local, 'setItem').mockImplementation(() => {
            throw new DOMException('full', 'QuotaExceededError');
        });
        expect(await failureOf(auth.session())).toMatchObject({ code: 'storage_failed' });
        expect(auth.state.error).toMatchObject({ code: 'storage_failed' });
        full.mockRestore();
        await pass(60);
        expect(auth.state.status).toBe('signed-in');
    });
});

describe('a session that cannot be renewed while the machine is offline', () => {
    it('is renewed by the first call after it is online again', async () => {
        service.delivery = 'body';
        const auth = browser.tab({ delivery: 'body', storage: 'localStorage' });
        await soon(auth.login(ADA));
        await pass(61);
        service.mishaps = Array.from({ length: 200 }, () => 'request-lost' as const);
        for (let attempt = 0; attempt < 20; attempt += 1) {
            await failureOf(auth.fetch(`${BASE}/orders`));
            await pass(20);
        }
        await failureOf(auth.fetch(`${BASE}/orders`));
        service.mishaps = [];
        expect(await failureOf(auth.fetch(`${BASE}/orders`))).toMatchObject({ temporary: true });
        window.dispatchEvent(new Event('online'));
        expect((await soon(auth.fetch(`${BASE}/orders`))).status).toBe(200);
    });
});
