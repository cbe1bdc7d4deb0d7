import { beforeEach, describe, expect, it, vi } from 'vitest';

import type { Auth, KeyValueStorage } from '../src/index.js';
import { Browser } from './support/browser.js';
import { BASE, FakeService } from './support/service.js';
import { failureOf, pass, soon } from './support/time.js';

const ADA = { email: 'ada@example.com', password: 'Lantern-Quartz-Meadow' };

/** As on a phone: every answer takes a while, and some never come. */
class SlowStorage implements KeyValueStorage {
    readonly items = new Map<string, string>();
    /** The next change is never answered. */
    hangs = false;
    /** The next removal fails. */
    fails = false;

    async getItem(key: string): Promise<string | null> {
        await later(5);
        return this.items.get(key) ?? null;
    }

    async setItem(key: string, value: string): Promise<void> {
        if (this.hangs) {
            this.hangs = false;
            await new Promise(() => undefined);
        }
        await later(5);
        this.items.set(key, value);
    }

    async removeItem(key: string): Promise<void> {
        await later(20);
        if (this.fails) {
            this.fails = false;
            throw new Error('busy');
        }
        this.items.delete(key);
    }
}

const later = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

let service: FakeService;
let storage: SlowStorage;
let auth: Auth;

beforeEach(async () => {
    vi.useFakeTimers();
    service = new FakeService();
    storage = new SlowStorage();
    auth = new Browser(service).tab({ storage, margin: 1000 });
    await soon(auth.login(ADA));
});

function changes(): unknown[] {
    const seen: unknown[] = [];
    auth.onChange(({ reason, elsewhere, error }) => seen.push([reason, elsewhere, error?.code]));
    return seen;
}

describe('an asynchronous storage', () => {
    it('that never answers a change holds up no logout', async () => {
        storage.hangs = true;
        await pass(61);
        void auth.fetch(`${BASE}/orders`).catch(() => null);
        await pass(1);
        const loggedOut = auth.logout();
        await pass(60);
        await loggedOut;
        expect(auth.state.status).toBe('signed-out');
        expect(service.count('logout')).toBe(1);
    });

    it('that never answers a change holds up no login', async () => {
        storage.hangs = true;
        await pass(61);
        void auth.fetch(`${BASE}/orders`).catch(() => null);
        await pass(1);
        const login = auth.login(ADA);
        await pass(60);
        expect((await login).user.email).toBe(ADA.email);
    });

    it('that could not forget a session forgets it at the next logout', async () => {
        storage.fails = true;
        expect(await soon(failureOf(auth.logout()))).toMatchObject({ code: 'storage_failed' });
        await soon(auth.logout());
        expect([...storage.items]).toEqual([]);
    });

    it('that is read while somebody signs out says so once, and that it was here', async () => {
        const seen = changes();
        const loggedOut = auth.logout();
        await pass(0.008);
        await soon(Promise.all([loggedOut, auth.fetch(`${BASE}/orders`).catch(() => null)]));
        expect(seen).toEqual([['signed-out', false, undefined]]);
    });

    it('that is read while a session is found to have ended says so once, and why', async () => {
        service.endAll();
        const seen = changes();
        const reads: Promise<unknown>[] = [auth.renew().catch(() => null)];
        for (let read = 0; read < 40; read++) {
            await pass(0.002);
            reads.push(auth.session().catch(() => null));
        }
        await soon(Promise.all(reads));
        expect(seen).toEqual([['session-ended', false, 'session_ended']]);
    });
});
