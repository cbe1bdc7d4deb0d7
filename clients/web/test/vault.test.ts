import { beforeEach, describe, expect, it, vi } from 'vitest';

import { freshRenewal, type Entry } from '../src/session.js';
import { cookieVault, keyValueVault, marksKey } from '../src/vault.js';
import { FakeStorage } from './support/browser.js';

const KEY = 'latchkey';
const USER = {
    userId: 'u',
    email: 'ada@example.com',
    displayName: null,
    firstName: null,
    lastName: null,
    emailVerified: false,
};

let storage: FakeStorage;
let keys: number;
const newKey = () => `key-${String((keys += 1))}`;

beforeEach(() => {
    storage = new FakeStorage();
    keys = 0;
    vi.stubGlobal('localStorage', storage);
});

function entry(token: string, storedAt: number, idempotencyKey = `of ${token}`): Entry {
    const session = { token, refreshToken: null, expiresAt: storedAt + 60_000, user: USER, storedAt };
    return { session, renewal: freshRenewal(idempotencyKey) };
}

describe('the vault of cookie delivery', () => {
    it('believes what another tab has told before the storage shows it', async () => {
        const vault = cookieVault(KEY, newKey);
        const [before, after] = [entry('one', Date.now()), entry('two', Date.now() + 1000)];
        await vault.write({ ...before, renewal: { ...before.renewal, unanswered: true } });
        await vault.adopt(after);
        expect(await vault.read()).toEqual(after);
    });

    it('sees what another tab has noted since', async () => {
        const [vault, other] = [cookieVault(KEY, newKey), cookieVault(KEY, newKey)];
        const both = entry('one', Date.now());
        await other.write(both);
        await vault.adopt(both);
        const noted = { ...both, renewal: { ...both.renewal, unanswered: true, failures: 2 } };
        await other.write(noted);
        expect(await vault.read()).toEqual(noted);
        expect(vault.patience()).toBe(100);
    });

    it('is more patient where another tab surely has a later access token', async () => {
        const [vault, other] = [cookieVault(KEY, newKey), cookieVault(KEY, newKey)];
        await vault.read();
        expect(vault.patience()).toBe(0);
        await other.write(entry('one', Date.now()));
        expect((await vault.read())?.session).toBeNull();
        expect(vault.patience()).toBe(1000);
        await other.write(entry('long ago', Date.now() - 100_000));
        await vault.read();
        expect(vault.patience()).toBe(100);
    });

    it('keeps one key from the note of a refresh to its repetition on the next page', async () => {
        const page = cookieVault(KEY, newKey);
        const { renewal } = (await page.read())!;
        await page.write({ session: null, renewal: { ...renewal, unanswered: true } });
        expect((await cookieVault(KEY, newKey).read())?.renewal).toEqual({ ...renewal, unanswered: true });
    });

    it.each(['', 'x', '7', 'true', '[]', '{}', '"text"', '{"renewal":null}', '{"renewal":{}}'])(
        'begins afresh if the storage holds something else: %s',
        async (text) => {
            storage.setItem(marksKey(KEY), text);
            expect(await cookieVault(KEY, newKey).read()).toEqual({
                session: null,
                renewal: freshRenewal('key-1'),
            });
        },
    );
});

describe('a vault in a storage', () => {
    it('says that it cannot read, and why', async () => {
        const cause = new DOMException('denied', 'SecurityError');
        vi.spyOn(storage, 'getItem').mockImplementation(() => {
            throw cause;
        });
        for (const vault of [keyValueVault('shared', storage, KEY), cookieVault(KEY, newKey)])
            await expect(vault.read()).rejects.toMatchObject({ code: 'storage_failed', cause });
    });

    it('says that it cannot store, and why', async () => {
        const cause = new DOMException('full', 'QuotaExceededError');
        vi.spyOn(storage, 'setItem').mockImplementation(() => {
            throw cause;
        });
        const vault = keyValueVault('shared', storage, KEY);
        await expect(vault.write(entry('one', 0))).rejects.toMatchObject({ code: 'storage_failed', cause });
        await expect(cookieVault(KEY, newKey).write(entry('one', 0))).rejects.toMatchObject({
            code: 'storage_failed',
        });
    });
});
