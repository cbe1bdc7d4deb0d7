import { beforeEach, describe, expect, it, vi } from 'vitest';

import { createAuth, type Auth } from '../src/index.js';
import { createServerAuth } from '../src/server.js';
import { memoryStorage } from '../src/storage.js';
import { Browser, FakeStorage } from './support/browser.js';
import { BASE, FakeService } from './support/service.js';
import { FORMATS } from './support/spelling.js';
import { failureOf, pass, soon } from './support/time.js';

const ADA = { email: 'ada@example.com', password: 'Lantern-Quartz-Meadow' };
const of = (name: string) => ({ ...ADA, email: `${name}@example.com` });

let service: FakeService;
let browser: Browser;
let auth: Auth;

beforeEach(() => {
    vi.useFakeTimers();
    service = new FakeService();
    service.devices = true;
    browser = new Browser(service);
    auth = browser.tab({ storage: 'localStorage' });
});

/** The device tokens of the logins that were sent; `undefined`: none. */
async function sentWith(path = '/auth/login'): Promise<(string | undefined)[]> {
    const sent = service.requests.filter((request) => request.url === BASE + path);
    const bodies = await Promise.all(sent.map((request) => request.clone().json()));
    return bodies.map((body) => (body as { deviceToken?: string }).deviceToken);
}

describe('a device token', () => {
    it.each(FORMATS)('goes with the next login of its user, in the format %s', async (format) => {
        service.format = format;
        await soon(auth.login(ADA));
        await soon(auth.login(ADA));
        expect(await sentWith()).toEqual([undefined, 'device 1 of ada@example.com']);
    });

    it('survives a logout, a renewal, the end of the session and a reload', async () => {
        await soon(auth.signup(ADA));
        await soon(auth.renew());
        await soon(auth.logout());
        await soon(auth.login(ADA));
        service.endAll();
        await failureOf(auth.renew());
        auth.close();
        const reloaded = browser.tab({ storage: 'localStorage' });
        expect(await soon(reloaded.session())).toBeNull();
        await soon(reloaded.login(ADA));
        expect(await sentWith()).toEqual(['device 1 of ada@example.com', 'device 2 of ada@example.com']);
        expect((await sentWith('/auth/signup'))[0]).toBeUndefined();
    });

    it('is replaced by that of a change of the password', async () => {
        await soon(auth.login(ADA));
        await soon(auth.changePassword({ currentPassword: ADA.password, newPassword: 'Velvet-Harbour-Thimble' }));
        await soon(auth.logout());
        await soon(auth.login(ADA));
        expect((await sentWith()).at(-1)).toBe('device 2 of ada@example.com');
    });

    it('is of one user: three are kept, whatever the spelling of the address', async () => {
        for (const name of ['ada', 'bob', 'cyd']) await soon(auth.login(of(name)));
        for (const email of [' ADA@Example.com', 'bob@example.com']) await soon(auth.login({ ...ADA, email }));
        await soon(auth.login(of('dan')));
        await soon(auth.login(of('cyd')));
        expect((await sentWith()).slice(3)).toEqual([
            'device 1 of ada@example.com',
            'device 2 of bob@example.com',
            undefined,
            undefined,
        ]);
    });

    it('leaves no address and no token of a session behind a logout', async () => {
        await soon(auth.login(of('someone')));
        const { token, refreshToken } = auth.state.session!;
        await soon(auth.logout());
        const stored = JSON.stringify([...browser.local.items]).replace(/device 1 of \S+@/, '');
        for (const text of ['someone@', token, refreshToken!]) expect(stored).not.toContain(text);
    });

    it('goes with a login that fails, which leaves it', async () => {
        await soon(auth.login(ADA));
        await soon(auth.logout());
        await failureOf(auth.login({ ...ADA, password: 'wrong' }));
        await soon(auth.login(ADA));
        const token = 'device 1 of ada@example.com';
        expect(await sentWith()).toEqual([undefined, token, token]);
    });

    it('is kept through the login of another tab', async () => {
        const there = browser.tab({ storage: 'localStorage' });
        await soon(auth.login(ADA));
        await soon(there.login(of('bob')));
        await pass(1);
        await soon(auth.logout());
        await soon(auth.login(ADA));
        expect((await sentWith()).at(-1)).toBe('device 1 of ada@example.com');
    });

    it('is in the one value of the storage, so that a storage with one place holds both', async () => {
        let value: string | null = null;
        const storage = {
            getItem: () => value,
            setItem: (_: string, text: string) => void (value = text),
            removeItem: () => void (value = null),
        };
        const options = { baseUrl: BASE, fetch: service.browser(), storage };
        await soon(createServerAuth(options).login(ADA));
        expect((await soon(createServerAuth(options).fetch(`${BASE}/orders`))).status).toBe(200);
        await soon(createServerAuth(options).logout());
        expect(await soon(createServerAuth(options).session())).toBeNull();
        await soon(createServerAuth(options).login(ADA));
        expect((await sentWith()).at(-1)).toBe('device 1 of ada@example.com');
    });

    it('is in memory, where the session is', async () => {
        const memory = browser.tab();
        await soon(memory.login(ADA));
        await soon(memory.logout());
        await soon(memory.login(ADA));
        expect((await sentWith()).at(-1)).toBe('device 1 of ada@example.com');
        expect(browser.local.length).toBe(0);
    });

    it('is not missed: without one the storage is empty after a logout', async () => {
        service.devices = false;
        await soon(auth.login(ADA));
        await soon(auth.logout());
        expect(browser.local.length).toBe(0);
    });

    it('that is nonsense in the storage is none, and the session goes on', async () => {
        await soon(auth.login(ADA));
        const key = `latchkey:${BASE}`;
        for (const devices of ['x', 7, {}, [1], [['a', 2]], null]) {
            const entry = JSON.parse(browser.local.getItem(key)!) as object;
            browser.local.setItem(key, JSON.stringify({ ...entry, devices }));
            expect((await soon(auth.fetch(`${BASE}/orders`))).status).toBe(200);
        }
        await soon(auth.login(ADA));
        expect((await sentWith()).at(-1)).toBeUndefined();
    });

    it('does not go with a login while the storage cannot be read', async () => {
        const storage = new FakeStorage();
        const client = createAuth({ baseUrl: BASE, fetch: service.browser(), storage });
        await soon(client.login(ADA));
        vi.spyOn(storage, 'getItem').mockImplementation(() => {
            throw new Error('locked');
        });
        expect((await soon(client.login(ADA))).user.email).toBe(ADA.email);
        client.close();
    });
});

describe('with cookie delivery', () => {
    beforeEach(() => {
        service.delivery = 'cookie';
    });

    it.each(['cookie', undefined] as const)(
        'no device token is sent or stored (delivery %s)',
        async (delivery) => {
            const client = browser.tab(delivery === undefined ? { storage: 'localStorage' } : { delivery });
            for (let login = 0; login < 3; login += 1) await soon(client.login(ADA));
            expect(await sentWith()).toEqual([undefined, undefined, undefined]);
            expect(JSON.stringify([...browser.local.items])).not.toContain('device');
        },
    );

    it('none of before is sent', async () => {
        service.delivery = 'body';
        await soon(auth.login(ADA));
        service.delivery = 'cookie';
        await soon(auth.renew());
        await soon(auth.login(ADA));
        expect((await sentWith()).at(-1)).toBeUndefined();
    });

    it('a refresh and a logout name their session by the access token, ended or not', async () => {
        const client = browser.tab({ delivery: 'cookie' });
        await soon(client.login(ADA));
        const first = client.state.session!.token;
        await pass(3600);
        const second = (await soon(client.renew())).token;
        await pass(3600);
        await soon(client.logout());
        const named = (path: string) =>
            service.requests
                .filter((request) => request.url === BASE + path)
                .map(({ headers }) => headers.get('authorization'));
        expect(named('/auth/refresh')).toEqual([`Bearer ${first}`]);
        expect(named('/auth/logout')).toEqual([`Bearer ${second}`]);
    });

    it('a refresh of a new page names none, and one with bodies names none', async () => {
        auth.close();
        const client = browser.tab({ delivery: 'cookie' });
        await soon(client.login(ADA));
        client.close();
        const reloaded = browser.tab({ delivery: 'cookie' });
        expect((await soon(reloaded.session()))?.user.email).toBe(ADA.email);
        service.delivery = 'body';
        const body = new Browser(service).tab({ storage: 'localStorage' });
        await soon(body.login(ADA));
        await soon(body.renew());
        expect(service.refreshes().map(({ headers }) => headers.get('authorization'))).toEqual([null, null]);
    });
});

it('a server that can store nothing keeps the device token for its one answer', async () => {
    const storage = memoryStorage();
    const page = createServerAuth({ baseUrl: BASE, fetch: service.browser(), storage, readOnly: true });
    await soon(page.login(ADA));
    expect(await storage.getItem(`latchkey:${BASE}`)).toBeNull();
});
