import { beforeEach, describe, expect, it, vi } from 'vitest';

import type { Auth } from '../src/index.js';
import { sessionIdOf, type Entry } from '../src/session.js';
import { Browser, FakeStorage } from './support/browser.js';
import { BASE, FakeService } from './support/service.js';
import { FORMATS } from './support/spelling.js';
import { failureOf, pass, soon } from './support/time.js';

const ADA = { email: 'ada@example.com', password: 'Lantern-Quartz-Meadow' };
const CHANGE = { currentPassword: ADA.password, newPassword: 'Velvet-Harbour-Thimble' };

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

const sent = () => service.requests.filter((request) => request.url === `${BASE}/auth/password`);

/** Makes the client think that the token holds, so that the service is the first to refuse it. */
async function endUnnoticed(): Promise<void> {
    await pass(61);
    const key = `latchkey:${BASE}`;
    const entry = JSON.parse(browser.local.getItem(key)!) as object;
    browser.local.setItem(key, JSON.stringify({ ...entry, expiresAt: Date.now() + 1e9, storedAt: Date.now() }));
}

describe('a changed password', () => {
    it.each(FORMATS)('moves to a new session and ends all others, in the format %s', async (format) => {
        service.format = format;
        const there = new Browser(service).tab({ storage: 'localStorage' });
        await soon(there.login(ADA));
        const before = auth.state.session!;
        expect(await soon(auth.changePassword(CHANGE))).toBe(1);
        const after = auth.state.session!;
        expect(sessionIdOf(after)).not.toBe(sessionIdOf(before));
        expect(after.refreshToken).not.toBe(before.refreshToken);
        expect(auth.state).toMatchObject({ status: 'signed-in', reason: 'renewed' });
        expect((await soon(auth.fetch(`${BASE}/orders`))).status).toBe(200);
        await soon(auth.renew());
        expect(await failureOf(there.me())).toMatchObject({ code: 'session_ended' });
        expect(service.password).toBe(CHANGE.newPassword);
    });

    it.each(FORMATS)('keeps the session, where an earlier service answers no tokens, in %s', async (format) => {
        service.format = format;
        service.passwordTokens = false;
        const there = new Browser(service).tab({ storage: 'localStorage' });
        await soon(there.login(ADA));
        const before = auth.state.session;
        expect(await soon(auth.changePassword(CHANGE))).toBe(1);
        expect(auth.state.session).toBe(before);
        expect((await soon(auth.fetch(`${BASE}/orders`))).status).toBe(200);
        expect(await failureOf(there.me())).toMatchObject({ code: 'session_ended' });
    });

    it('is told to the service with a token that is renewed first, if it has ended', async () => {
        await pass(61);
        expect(await soon(auth.changePassword(CHANGE))).toBe(0);
        expect(sent()).toHaveLength(1);
        expect(service.count('rotated')).toBe(1);
    });

    it('is told again with a renewed token, if the service was the first to refuse the old one', async () => {
        await endUnnoticed();
        expect(await soon(auth.changePassword(CHANGE))).toBe(0);
        expect(sent()).toHaveLength(2);
        expect(service.count('guess')).toBe(1);
    });

    it('has a key of its own for the new refresh token', async () => {
        const keyOf = () =>
            (JSON.parse(browser.local.getItem(`latchkey:${BASE}`)!) as Entry).renewal.idempotencyKey;
        const before = keyOf();
        await soon(auth.changePassword(CHANGE));
        expect(keyOf()).not.toBe(before);
    });

    it('waits for a renewal under way, which ends nothing', async () => {
        service.mishaps = ['request-lost'];
        const changes: unknown[] = [];
        auth.onChange(({ status }) => changes.push(status));
        const renewing = auth.renew();
        await pass(0.002);
        const changing = auth.changePassword(CHANGE);
        await soon(Promise.all([renewing, changing]));
        expect(changes).not.toContain('signed-out');
        expect((await soon(auth.fetch(`${BASE}/orders`))).status).toBe(200);
    });

    it('whose answer is lost is found out by the next call: the session has ended', async () => {
        const real = service.browser();
        let lose = true;
        const client = browser.tab({
            storage: 'localStorage',
            fetch: async (input, init) => {
                const response = await real(input, init);
                if (lose && input === `${BASE}/auth/password`) throw new TypeError('network');
                return response;
            },
        });
        expect(await failureOf(client.changePassword(CHANGE))).toMatchObject({ temporary: true });
        lose = false;
        expect(await failureOf(client.changePassword(CHANGE))).toMatchObject({ code: 'session_ended' });
        expect((await soon(client.login({ ...ADA, password: CHANGE.newPassword }))).user.email).toBe(ADA.email);
    });

    it('signs nobody in who has signed out in the meantime, and leaves no session', async () => {
        const changing = auth.changePassword(CHANGE);
        await pass(0.002);
        await soon(auth.logout());
        await soon(changing);
        expect(auth.state.status).toBe('signed-out');
        expect(browser.local.length).toBe(0);
        expect([...service.chains.values()].every(({ ended }) => ended)).toBe(true);
    });

    it('does not take the place of another user who has signed in in the meantime', async () => {
        const changing = auth.changePassword(CHANGE);
        await pass(0.002);
        const there = browser.tab({ storage: 'localStorage' });
        const bob = there.login({ email: 'bob@example.com', password: 'x' });
        await soon(Promise.all([changing, bob]));
        await pass(1);
        expect(auth.state.session?.user.email).toBe('bob@example.com');
    });
});

describe('a changed password is heard', () => {
    it('in the other tabs of a localStorage', async () => {
        const there = browser.tab({ storage: 'localStorage' });
        await soon(there.session());
        await soon(auth.changePassword(CHANGE));
        await pass(1);
        expect(there.state.session?.token).toBe(auth.state.session?.token);
        await pass(61);
        expect((await soon(there.fetch(`${BASE}/orders`))).status).toBe(200);
    });

    it('in a duplicated tab, which moves to the new session', async () => {
        const storage = new FakeStorage();
        const first = browser.tab({ storage: 'sessionStorage' }, storage);
        await soon(first.login(ADA));
        const second = browser.tab({ storage: 'sessionStorage' }, storage.copy());
        await soon(second.session());
        await soon(first.changePassword(CHANGE));
        await pass(1);
        expect(second.state.session?.token).toBe(first.state.session?.token);
        expect((await soon(second.fetch(`${BASE}/orders`))).status).toBe(200);
    });

    it('with cookie delivery, where no refresh of the former session sets its cookie again', async () => {
        service.delivery = 'cookie';
        const cookies = new Browser(service);
        const [here, there] = [cookies.tab({ delivery: 'cookie' }), cookies.tab({ delivery: 'cookie' })];
        await soon(here.login(ADA));
        await pass(1);
        const renewing = there.renew();
        await pass(0.002);
        await soon(Promise.all([here.changePassword(CHANGE), renewing]));
        await pass(1);
        expect(there.state.session?.token).toBe(here.state.session?.token);
        await pass(61);
        for (const tab of [here, there]) {
            expect((await soon(tab.fetch(`${BASE}/orders`))).status).toBe(200);
        }
        expect(service.count('refused')).toBe(0);
    });
});

describe('a wrong current password', () => {
    const WRONG = { ...CHANGE, currentPassword: 'not the password' };

    it('is guessed once, renews nothing and signs nobody out', async () => {
        for (let guess = 1; guess <= 3; guess += 1) {
            const error = await failureOf(auth.changePassword(WRONG));
            expect(error).toMatchObject({ code: 'invalid_credentials', status: 401, temporary: false });
            expect(service.count('guess')).toBe(guess);
        }
        expect(service.refreshes()).toHaveLength(0);
        expect(auth.state.status).toBe('signed-in');
        expect(await soon(auth.changePassword(CHANGE))).toBe(0);
    });

    it('is guessed once if the token has ended as well, and a later end is noticed', async () => {
        await endUnnoticed();
        expect(await failureOf(auth.changePassword(WRONG))).toMatchObject({ code: 'invalid_credentials' });
        expect(service.count('guess')).toBe(1);
        expect(service.count('rotated')).toBe(1);
        service.endAll();
        expect(await failureOf(auth.changePassword(CHANGE))).toMatchObject({ code: 'session_ended' });
        expect(auth.state.status).toBe('signed-out');
    });
});

it('a new password that is too easy to guess is said to be', async () => {
    const error = await failureOf(auth.changePassword({ ...CHANGE, newPassword: 'short' }));
    expect(error).toMatchObject({ code: 'weak_password', status: 400 });
    expect(auth.state.status).toBe('signed-in');
});

it('nobody who is signed out changes a password', async () => {
    await soon(auth.logout());
    expect(await failureOf(auth.changePassword(CHANGE))).toMatchObject({ code: 'signed_out' });
    expect(sent()).toHaveLength(0);
});
