import { beforeEach, describe, expect, it, vi } from 'vitest';

import type { Auth, CallOptions } from '../src/index.js';
import { createServerAuth } from '../src/server.js';
import { memoryStorage } from '../src/storage.js';
import { Browser } from './support/browser.js';
import { BASE, FakeService } from './support/service.js';
import { failureOf, pass, soon } from './support/time.js';

const ADA = { email: 'ada@example.com', password: 'Lantern-Quartz-Meadow' };
const CHANGE = { currentPassword: ADA.password, newPassword: 'Velvet-Harbour-Thimble' };

let service: FakeService;
let browser: Browser;
let auth: Auth;
/** Paths that are never answered; a `fetch` that heeds its signal or not. */
let silent: RegExp;
let heeds: boolean;

beforeEach(() => {
    vi.useFakeTimers();
    service = new FakeService();
    browser = new Browser(service);
    silent = /^$/;
    heeds = true;
    const real = service.browser();
    const fetch: typeof globalThis.fetch = async (input, init) => {
        if (!silent.test(input as string)) return await real(input, init);
        return await new Promise((_, reject) => {
            if (!heeds) return;
            init?.signal?.addEventListener('abort', () => {
                reject(new DOMException('aborted', 'AbortError'));
            });
        });
    };
    auth = browser.tab({ storage: 'localStorage', fetch });
});

const CALLS: [string, (auth: Auth, options: CallOptions) => Promise<unknown>][] = [
    ['login', (client, options) => client.login(ADA, options)],
    ['signup', (client, options) => client.signup(ADA, options)],
    ['me', (client, options) => client.me(options)],
    ['updateMe', (client, options) => client.updateMe({ displayName: 'Ada' }, options)],
    ['sessions', (client, options) => client.sessions(options)],
    ['endSession', (client, options) => client.endSession('s', options)],
    ['changePassword', (client, options) => client.changePassword(CHANGE, options)],
    ['revokeAll', (client, options) => client.revokeAll(options)],
    ['renew', (client, options) => client.renew(options)],
    ['logout', (client, options) => client.logout(options)],
];

describe.each(CALLS)('%s()', (name, call) => {
    it.each([true, false])('ends with the reason of its signal, if fetch heeds one: %s', async (isHeeded) => {
        await soon(auth.login(ADA));
        silent = /\/auth\//;
        heeds = isHeeded;
        const giving = new AbortController();
        const failure = failureOf(call(auth, { signal: giving.signal }));
        const reason = new Error('The user has gone on.');
        await pass(1);
        giving.abort(reason);
        expect(await failure).toBe(reason);
    });

    it('with a signal that has been aborted sends nothing', async () => {
        await soon(auth.login(ADA));
        const sent = service.requests.length;
        const error = await failureOf(call(auth, { signal: AbortSignal.abort() }));
        expect(error).toMatchObject({ name: 'AbortError' });
        await pass(1);
        if (name !== 'renew') expect(service.requests).toHaveLength(sent);
    });

    it('ends after the time limit, if fetch ignores its signal', async () => {
        await soon(auth.login(ADA));
        silent = /\/auth\//;
        heeds = false;
        expect(await failureOf(call(auth, {}))).toMatchObject({ code: 'network_error' });
    });
});

describe('a login that is given up', () => {
    it('signs nobody in, and keeps who was signed in', async () => {
        const giving = new AbortController();
        const failure = auth.login(ADA, { signal: giving.signal }).catch((error: unknown) => error);
        await pass(0.002);
        giving.abort();
        expect(await failure).toMatchObject({ name: 'AbortError' });
        await pass(5);
        expect(auth.state.status).not.toBe('signed-in');
        expect(browser.local.length).toBe(0);
        expect((await soon(auth.login(ADA))).user.email).toBe(ADA.email);
    });

    it('while another call has the lock does not wait for it', async () => {
        service.delivery = 'cookie';
        const cookies = new Browser(service);
        const client = cookies.tab({ delivery: 'cookie' });
        await soon(client.login(ADA));
        service.mishaps = ['hangs'];
        client.renew().catch(() => null);
        await pass(0.01);
        const giving = new AbortController();
        const failure = client.login(ADA, { signal: giving.signal }).catch((error: unknown) => error);
        await pass(0.01);
        giving.abort();
        const before = Date.now();
        expect(await failure).toMatchObject({ name: 'AbortError' });
        expect(Date.now() - before).toBeLessThan(100);
        await pass(60);
        expect(service.count('login')).toBe(1);
    });
});

describe('a wait for the token', () => {
    it.each([
        ['me', (options: CallOptions) => auth.me(options)],
        ['getAccessToken', (options: CallOptions) => auth.getAccessToken(options)],
        ['renew', (options: CallOptions) => auth.renew(options)],
    ])('of %s() ends with its signal, and the renewal goes on for others', async (_, call) => {
        await soon(auth.login(ADA));
        await pass(61);
        silent = /refresh/;
        const giving = new AbortController();
        const others = auth.fetch(`${BASE}/orders`);
        others.catch(() => null);
        const failure = failureOf(call({ signal: giving.signal }));
        await pass(1);
        giving.abort();
        expect(await failure).toMatchObject({ name: 'AbortError' });
        silent = /^$/;
        expect((await soon(others)).status).toBe(200);
        expect(service.count('rotated')).toBe(1);
    });
});

it('a logout that is given up has signed out here', async () => {
    await soon(auth.login(ADA));
    silent = /logout/;
    const giving = new AbortController();
    const failure = failureOf(auth.logout({ signal: giving.signal }));
    await pass(1);
    giving.abort();
    expect(await failure).toMatchObject({ name: 'AbortError' });
    expect(auth.state.status).toBe('signed-out');
});

it('the calls of a server take signals, too', async () => {
    const server = createServerAuth({ baseUrl: BASE, fetch: service.browser(), storage: memoryStorage() });
    const signal = AbortSignal.abort();
    expect(await failureOf(server.login(ADA, { signal }))).toMatchObject({ name: 'AbortError' });
    await soon(server.login(ADA));
    expect(await failureOf(server.me({ signal }))).toMatchObject({ name: 'AbortError' });
});
