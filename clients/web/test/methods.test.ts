import { reactive, readonly, shallowReactive, toRefs } from '@vue/reactivity';
import { beforeEach, describe, expect, it, vi } from 'vitest';

import { attach } from '../src/axios.js';
import type { Auth } from '../src/index.js';
import axios from 'axios';
import { Browser } from './support/browser.js';
import { BASE, FakeService } from './support/service.js';
import { failureOf, pass, soon } from './support/time.js';

const ADA = { email: 'ada@example.com', password: 'Lantern-Quartz-Meadow' };
const CHANGE = { currentPassword: ADA.password, newPassword: 'Velvet-Harbour-Thimble' };

let service: FakeService;
let browser: Browser;
let auth: Auth;

beforeEach(() => {
    vi.useFakeTimers();
    service = new FakeService();
    browser = new Browser(service);
    auth = browser.tab({ storage: 'localStorage' });
});

describe.each<[string, (auth: Auth) => Auth]>([
    ['taken out of it', (client) => ({ ...client, state: client.state })],
    ['through a proxy around it', (client) => new Proxy(client, {})],
    ['in Vue’s reactive()', (client) => reactive({ auth: client }).auth],
    [
        'in a store of Pinia, which is reactive',
        (client) => reactive({ nested: reactive({ auth: client }) }).nested.auth,
    ],
    ['in Vue’s readonly()', (client) => readonly(client)],
    ['in Vue’s shallowReactive()', (client) => shallowReactive(client)],
])('the methods of a client, %s,', (_, wrap) => {
    it('all work', async () => {
        const { signup, login, me, updateMe, sessions, renew, session, getAccessToken, fetch, bearer, onChange } =
            wrap(auth);
        const { changePassword, endSession, revokeAll, logout, close } = wrap(auth);
        const statuses: string[] = [];
        const stop = onChange(({ status }) => statuses.push(status));
        await soon(signup(ADA));
        await soon(login(ADA));
        expect((await soon(me())).email).toBe(ADA.email);
        expect((await soon(updateMe({ displayName: 'Ada' }))).displayName).toBe('Ada');
        expect((await soon(renew())).user.email).toBe(ADA.email);
        expect((await soon(session()))?.user.email).toBe(ADA.email);
        const token = await soon(getAccessToken());
        expect((await soon(fetch(`${BASE}/orders`))).status).toBe(200);
        const { covers, resolve, headers, received, replacement, refusedAgain, carries } = bearer;
        const url = resolve(`${BASE}/orders`);
        expect(covers(url)).toBe(true);
        expect(await soon(bearer.token())).toBe(token);
        expect(await soon(headers(token, url))).toEqual({ authorization: `Bearer ${token}` });
        await soon(received(new Headers()));
        expect(await soon(replacement(token, 401, url))).not.toBe(token);
        refusedAgain(token, 401, url);
        expect(carries(wrap(auth).state.session!)).toBe(false);
        expect(await soon(changePassword(CHANGE))).toBe(1);
        const [listed] = await soon(sessions());
        await soon(endSession(listed!.sessionId));
        expect(await soon(session())).toBeNull();
        await soon(login(ADA));
        expect(await soon(revokeAll())).toBeGreaterThan(0);
        await soon(login(ADA));
        await soon(logout());
        stop();
        close();
        expect(statuses.at(-1)).toBe('signed-out');
        expect(auth.state.status).toBe('signed-out');
    });

    it('tell the other tabs', async () => {
        const there = browser.tab({ storage: 'localStorage' });
        await soon(there.session());
        await soon(wrap(auth).login(ADA));
        await pass(1);
        expect(there.state.session?.user.email).toBe(ADA.email);
    });

    it('serve axios', async () => {
        await soon(auth.login(ADA));
        const client = axios.create({ baseURL: BASE, adapter: 'fetch', env: { fetch: service.browser() } });
        attach(client, wrap(auth));
        expect((await soon(client.get('/orders'))).status).toBe(200);
    });
});

it('the state is the present one through a reactive proxy', async () => {
    const store = reactive({ auth });
    expect(store.auth.state.status).toBe('unknown');
    await soon(store.auth.login(ADA));
    expect(store.auth.state.status).toBe('signed-in');
    expect(store.auth.state.session?.user.email).toBe(ADA.email);
    expect(toRefs(store).auth.value.state.status).toBe('signed-in');
});

it('a client that is serialised with a store shows no token', async () => {
    await soon(auth.login(ADA));
    const { token } = auth.state.session!;
    expect(JSON.stringify(reactive({ auth }))).not.toContain(token);
});

describe('getAccessToken()', () => {
    beforeEach(async () => {
        await soon(auth.login(ADA));
    });

    it('returns the token as long as it is valid', async () => {
        expect(await soon(auth.getAccessToken())).toBe(auth.state.session?.token);
        expect(service.refreshes()).toHaveLength(0);
    });

    it.each([58, 61, 3600])('renews first after %d of 60 seconds, once for all callers', async (age) => {
        const before = auth.state.session?.token;
        await pass(age);
        const all = Array.from({ length: 20 }, () => auth.getAccessToken());
        const tokens = new Set(await soon(Promise.all(all)));
        expect(tokens.size).toBe(1);
        expect(tokens.has(before!)).toBe(false);
        expect(tokens.has(auth.state.session!.token)).toBe(true);
        expect(service.count('rotated')).toBe(1);
    });

    it('shares that refresh with the tabs, and with fetch', async () => {
        const there = browser.tab({ storage: 'localStorage' });
        await pass(61);
        const [here, other, response] = await soon(
            Promise.all([auth.getAccessToken(), there.getAccessToken(), auth.fetch(`${BASE}/orders`)]),
        );
        expect(here).toBe(other);
        expect(response.status).toBe(200);
        expect(service.count('rotated')).toBe(1);
    });

    it('throws signed_out if nobody is signed in, and session_ended if the service says so', async () => {
        await pass(61);
        service.endAll();
        expect(await failureOf(auth.getAccessToken())).toMatchObject({ code: 'session_ended' });
        expect(await failureOf(auth.getAccessToken())).toMatchObject({ code: 'signed_out' });
    });

    it('asks the service on a new page with cookie delivery', async () => {
        service.delivery = 'cookie';
        const cookies = new Browser(service);
        const first = cookies.tab({ delivery: 'cookie' });
        await soon(first.login(ADA));
        first.close();
        expect(await soon(cookies.tab({ delivery: 'cookie' }).getAccessToken())).toMatch(/^ey/);
    });
});

it('the state is told apart by its status', async () => {
    await soon(auth.login(ADA));
    const { state } = auth;
    // Compiled by `npm run check`: the session is there, and its user, without a question mark.
    const email: string | null = state.status === 'signed-in' ? state.session.user.email : state.session;
    expect(email).toBe(ADA.email);
    if (state.status !== 'signed-in') throw new Error('not reached');
    const none: null = state.error;
    expect(none).toBeNull();
});
