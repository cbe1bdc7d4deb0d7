import { randomUUID } from 'node:crypto';

import { beforeEach, describe, expect, it, vi } from 'vitest';

import { FakeService } from './support/service.js';

const ADA = { email: 'ada@example.com', password: 'Lantern-Quartz-Meadow' };
const BASE = 'https://api.example.com';

let service: FakeService;

/** The browser's cookies, as `next/headers` shows them; `sealed` where a Server Component is rendered. */
const jar = { cookies: new Map<string, string>(), sealed: false };
/** The headers of the browser's request, as the platform passes them on. */
let visitor: Record<string, string> = {};
/** What is on the phone. */
const phone = new Map<string, string>();

vi.mock('next/headers', () => ({
    headers: () => Promise.resolve(new Headers(visitor)),
    cookies: () =>
        Promise.resolve({
            get: (name: string) => (jar.cookies.has(name) ? { name, value: jar.cookies.get(name) } : undefined),
            set: (name: string, value: string) => {
                if (jar.sealed)
                    throw new Error('Cookies can only be modified in a Server Action or Route Handler.');
                jar.cookies.set(name, value);
            },
        }),
}));
vi.mock('next/navigation', () => ({
    redirect: (path: string) => {
        throw new Error(`redirect to ${path}`);
    },
}));
vi.mock('@react-native-async-storage/async-storage', () => ({
    default: {
        getItem: async (key: string) => phone.get(key) ?? null,
        setItem: async (key: string, value: string) => void phone.set(key, value),
        removeItem: async (key: string) => void phone.delete(key),
    },
}));
vi.mock('expo-secure-store', () => {
    // As the real one: https://docs.expo.dev/versions/latest/sdk/securestore/
    const checked = (key: string) => {
        if (!/^[\w.-]+$/.test(key)) throw new Error('Invalid key provided to SecureStore.');
        return key;
    };
    return {
        AFTER_FIRST_UNLOCK_THIS_DEVICE_ONLY: 1,
        getItemAsync: async (key: string) => phone.get(checked(key)) ?? null,
        setItemAsync: async (key: string, value: string) => void phone.set(checked(key), value),
        deleteItemAsync: async (key: string) => void phone.delete(checked(key)),
    };
});
vi.mock('expo-crypto', () => ({ randomUUID }));
vi.mock('react-native-url-polyfill/auto', () => ({}));

beforeEach(() => {
    vi.resetModules();
    service = new FakeService();
    phone.clear();
    visitor = {};
    Object.assign(jar, { cookies: new Map<string, string>(), sealed: false });
    vi.stubGlobal('fetch', service.browser());
    vi.stubEnv('API_URL', BASE);
    vi.stubEnv('SESSION_SECRET', 'a secret of at least thirty-two characters');
});

describe.each([
    ['AsyncStorage', () => import('../examples/react-native/async-storage.js')],
    ['SecureStore', () => import('../examples/react-native/secure-store.js')],
])('React Native with %s', (_, load) => {
    beforeEach(() => {
        // What Hermes has not, and a window that hears of nothing.
        vi.stubGlobal('window', {});
        for (const name of ['BroadcastChannel', 'crypto', 'navigator', 'location']) {
            vi.stubGlobal(name, undefined);
        }
    });

    it('stays signed in over a restart of the application', async () => {
        const first = await load();
        await first.auth.login(ADA);
        vi.resetModules();
        const second = await load();
        expect((await second.auth.session())?.user.email).toBe(ADA.email);
        await second.auth.renew();
        expect((await second.auth.fetch(`${BASE}/orders`)).status).toBe(200);
        await second.auth.logout();
        expect(phone.size).toBe(0);
    });

    it('stores no more than iOS takes, and tokens of a usual size leave room', async () => {
        const { auth } = await load();
        await auth.login(ADA);
        // Tokens of the service with HS256 have 470 and 390 characters.
        const [value] = phone.values();
        const { token, refreshToken } = auth.state.session!;
        expect(value!.length - token.length - refreshToken!.length + 470 + 390).toBeLessThan(2048);
    });
});

describe('Next.js with iron-session', () => {
    const form = () => {
        const data = new FormData();
        for (const [name, value] of Object.entries(ADA)) data.set(name, value);
        return data;
    };

    it('signs in by an action, renders a page, and signs out', async () => {
        const { login, logout, order } = await import('../examples/nextjs/actions.js');
        const { default: Page } = await import('../examples/nextjs/page.js');
        await expect(Page()).rejects.toThrow('redirect to /login');
        await expect(login(null, form())).rejects.toThrow('redirect to /');
        jar.sealed = true;
        expect(JSON.stringify(await Page())).toContain('ada@example.com');
        jar.sealed = false;
        expect(await order('a-1')).toBe(200);
        await expect(logout()).rejects.toThrow('redirect to /login');
        await expect(Page()).rejects.toThrow('redirect to /login');
        expect(service.count('logout')).toBe(1);
    });

    it('tells the service whom it signs in', async () => {
        vi.stubEnv('TRUSTED_PROXY_SECRET', 'a secret of the proxy');
        visitor = { 'x-real-ip': '203.0.113.7', 'user-agent': 'Firefox' };
        const { login, order } = await import('../examples/nextjs/actions.js');
        await expect(login(null, form())).rejects.toThrow('redirect to /');
        await order('a-1');
        const told = ['x-latchkey-proxy-secret', 'x-forwarded-for', 'x-forwarded-user-agent'];
        expect(service.requests.map(({ headers }) => told.map((name) => headers.get(name)))).toEqual([
            ['a secret of the proxy', '203.0.113.7', 'Firefox'],
            [null, null, null],
        ]);
    });

    it('keeps the device token in its one cookie over a logout', async () => {
        service.devices = true;
        const { login, logout } = await import('../examples/nextjs/actions.js');
        await expect(login(null, form())).rejects.toThrow('redirect to /');
        await expect(logout()).rejects.toThrow('redirect to /login');
        await expect(login(null, form())).rejects.toThrow('redirect to /');
        const again = service.requests.filter(({ url }) => url.endsWith('/auth/login')).at(-1)!;
        expect(await again.json()).toMatchObject({ deviceToken: `device 1 of ${ADA.email}` });
        expect(jar.cookies.size).toBe(1);
    });

    it('says what is wrong with a password', async () => {
        const { login } = await import('../examples/nextjs/actions.js');
        const data = form();
        data.set('password', 'wrong');
        expect(await login(null, data)).toBe('It is refused.');
    });

    it('renders with a renewed token that it cannot store, and the next action stores it', async () => {
        service.accessLife = 2;
        const { login, order } = await import('../examples/nextjs/actions.js');
        const { default: Page } = await import('../examples/nextjs/page.js');
        await expect(login(null, form())).rejects.toThrow('redirect to /');
        await new Promise((resolve) => setTimeout(resolve, 2100));
        jar.sealed = true;
        expect(JSON.stringify(await Page())).toContain('ada@example.com');
        jar.sealed = false;
        expect(await order('a-1')).toBe(200);
        expect(service.log).toEqual(['login', 'rotated', 'replayed']);
    });

    it.each([900, 1])('leads to the login when a session has ended elsewhere (a token of %d s)', async (life) => {
        service.accessLife = life;
        const { login } = await import('../examples/nextjs/actions.js');
        const { default: Page } = await import('../examples/nextjs/page.js');
        await expect(login(null, form())).rejects.toThrow('redirect to /');
        service.endAll();
        if (life === 1) await new Promise((resolve) => setTimeout(resolve, 1100));
        jar.sealed = true;
        await expect(Page()).rejects.toThrow('redirect to /login');
        jar.sealed = false;
        service.accessLife = 900;
        await expect(login(null, form())).rejects.toThrow('redirect to /');
        jar.sealed = true;
        expect(JSON.stringify(await Page())).toContain('ada@example.com');
    });

    it('sends nobody to the login for an answer that did not come', async () => {
        const { login } = await import('../examples/nextjs/actions.js');
        const { default: Page } = await import('../examples/nextjs/page.js');
        await expect(login(null, form())).rejects.toThrow('redirect to /');
        vi.stubGlobal('fetch', () => Promise.reject(new TypeError('network')));
        jar.sealed = true;
        await expect(Page()).rejects.toMatchObject({ code: 'network_error' });
    });

    it('signs out here though the service is away', async () => {
        const { login, logout } = await import('../examples/nextjs/actions.js');
        const { default: Page } = await import('../examples/nextjs/page.js');
        await expect(login(null, form())).rejects.toThrow('redirect to /');
        vi.stubGlobal('fetch', () => Promise.reject(new TypeError('network')));
        await expect(logout()).rejects.toThrow('redirect to /login');
        jar.sealed = true;
        await expect(Page()).rejects.toThrow('redirect to /login');
    });

    it('does not lead to the login if the session could not be taken away', async () => {
        const { login, logout } = await import('../examples/nextjs/actions.js');
        await expect(login(null, form())).rejects.toThrow('redirect to /');
        jar.sealed = true;
        await expect(logout()).rejects.toMatchObject({ code: 'storage_failed' });
    });

    it('has one cookie, sealed and small enough for a browser', async () => {
        const { login } = await import('../examples/nextjs/actions.js');
        await expect(login(null, form())).rejects.toThrow('redirect to /');
        const [cookie] = jar.cookies.values();
        expect(jar.cookies.size).toBe(1);
        expect(cookie).not.toContain(ADA.email);
        expect(cookie!.length).toBeLessThan(4096 - 200);
    });
});
