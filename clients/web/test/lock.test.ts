import { beforeEach, describe, expect, it, vi } from 'vitest';

import { leaseLock, lockFor, pageLock, webLock, type Lock } from '../src/lock.js';
import { webStorage } from '../src/storage.js';
import { FakeLocks, FakeStorage } from './support/browser.js';
import { failureOf, pass, soon } from './support/time.js';

beforeEach(() => {
    vi.useFakeTimers();
});

const manager = () => new FakeLocks() as unknown as LockManager;

const KINDS: [string, () => () => Lock][] = [
    [
        'Web Locks',
        () =>
            (
                (locks) => () =>
                    webLock(locks, 'name')
            )(manager()),
    ],
    [
        'a lease',
        () =>
            (
                (storage) => () =>
                    leaseLock(storage, 'name')
            )(new FakeStorage()),
    ],
    ['the page', () => () => pageLock('name')],
];

describe.each(KINDS)('a lock by %s', (_, kind) => {
    it('lets one task at a time run, each in the end', async () => {
        const lock = kind();
        let [running, most, done] = [0, 0, 0];
        const task = async () => {
            most = Math.max(most, (running += 1));
            await new Promise((resolve) => setTimeout(resolve, 100));
            running -= 1;
            done += 1;
        };
        await soon(Promise.all(Array.from({ length: 10 }, () => lock().run(task))));
        expect([most, done]).toEqual([1, 10]);
    });

    it('passes on what the task gives or throws, and is free afterwards', async () => {
        const lock = kind()();
        expect(await soon(lock.run(() => Promise.resolve(7)))).toBe(7);
        expect(await failureOf(lock.run(() => Promise.reject(new Error('mine'))))).toMatchObject({
            message: 'mine',
        });
        expect(await failureOf(lock.tryRun(() => Promise.reject(new Error('mine'))))).toMatchObject({
            message: 'mine',
        });
        expect(await soon(lock.tryRun(() => Promise.resolve(8)))).toBe(8);
    });

    it('does not wait if it is only tried', async () => {
        const lock = kind();
        const long = lock().run(() => new Promise((resolve) => setTimeout(resolve, 5000)));
        await pass(1);
        const task = vi.fn();
        expect(await soon(lock().tryRun(task))).toBeNull();
        expect(task).not.toHaveBeenCalled();
        await soon(long);
    });
});

describe('a lock that is never released', () => {
    it('by Web Locks, of a tab that the browser has put to sleep, keeps nobody for ever', async () => {
        const locks = manager();
        void webLock(locks, 'name').run(() => new Promise(() => null));
        await pass(1);
        const start = Date.now();
        await soon(webLock(locks, 'name').run(() => Promise.resolve()));
        expect(Date.now() - start).toBeGreaterThan(29_000);
        expect(Date.now() - start).toBeLessThan(31_000);
    });

    it('by a lease, of a tab that crashed, runs out', async () => {
        const storage = new FakeStorage([['name:lease', `somebody@${String(Date.now() + 30_000)}`]]);
        const start = Date.now();
        await soon(leaseLock(storage, 'name').run(() => Promise.resolve()));
        expect(Date.now() - start).toBeGreaterThan(29_000);
        expect(Date.now() - start).toBeLessThan(31_000);
        expect(storage.length).toBe(0);
    });

    it('by a lease, of a tab that crashed before the clock was set back, keeps nobody', async () => {
        const storage = new FakeStorage([['name:lease', `somebody@${String(Date.now() + 6 * 3_600_000)}`]]);
        const start = Date.now();
        await soon(leaseLock(storage, 'name').run(() => Promise.resolve()));
        expect(Date.now() - start).toBeLessThan(1_000);
        storage.setItem('name:lease', `somebody@${String(Date.now() + 30_000)}`);
        const waiting = leaseLock(storage, 'name').run(() => Promise.resolve());
        await pass(1);
        vi.setSystemTime(Date.now() - 6 * 3_600_000);
        const setAt = Date.now();
        await soon(waiting);
        expect(Date.now() - setAt).toBeLessThan(1_000);
    });
});

describe('where something is not allowed', () => {
    it('Web Locks are done without', async () => {
        const refuse = { request: () => Promise.reject(new DOMException('no', 'SecurityError')) };
        const lock = webLock(refuse as unknown as LockManager, 'name');
        expect(await soon(lock.run(() => Promise.resolve(1)))).toBe(1);
        expect(await soon(lock.tryRun(() => Promise.resolve(1)))).toBeNull();
    });

    it('a lease in a storage that is full is done without', async () => {
        const storage = new FakeStorage();
        vi.spyOn(storage, 'setItem').mockImplementation(() => {
            throw new DOMException('full', 'QuotaExceededError');
        });
        const lock = leaseLock(storage, 'name');
        expect(await soon(lock.run(() => Promise.resolve(1)))).toBe(1);
        expect(await soon(lock.tryRun(() => Promise.resolve(2)))).toBe(2);
    });

    it('a storage is none', () => {
        vi.stubGlobal('localStorage', undefined);
        expect(webStorage('localStorage')).toBeNull();
        Object.defineProperty(globalThis, 'localStorage', {
            configurable: true,
            get() {
                throw new DOMException('no', 'SecurityError');
            },
        });
        expect(webStorage('localStorage')).toBeNull();
        vi.stubGlobal('navigator', {});
        vi.stubGlobal('window', {});
        expect(lockFor('name')).toBeDefined();
    });
});
