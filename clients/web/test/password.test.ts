import { beforeEach, describe, expect, it, vi } from 'vitest';

import type { Auth } from '../src/index.js';
import { Browser } from './support/browser.js';
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
    it.each(FORMATS)('ends the other sessions and not this one, in the format %s', async (format) => {
        service.format = format;
        const there = new Browser(service).tab({ storage: 'localStorage' });
        await soon(there.login(ADA));
        expect(await soon(auth.changePassword(CHANGE))).toBe(1);
        expect(auth.state.status).toBe('signed-in');
        expect((await soon(auth.fetch(`${BASE}/orders`))).status).toBe(200);
        expect(await failureOf(there.me())).toMatchObject({ code: 'session_ended' });
        expect(service.password).toBe(CHANGE.newPassword);
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
