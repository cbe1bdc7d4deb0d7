import { webStorage } from './storage.js';

/** Lets one task at a time run, of all tabs if the browser can, of this page else. */
export interface Lock {
    /**
     * Runs the task when it is its turn. After {@link PATIENCE} it runs without: a tab that was suspended may hold the
     * lock for hours, and two refreshes with one `Idempotency-Key` do no harm.
     */
    run<T>(task: () => Promise<T>): Promise<T>;
    /** Runs the task if nobody else is at work, and gives `null` otherwise. */
    tryRun<T>(task: () => Promise<T>): Promise<T | null>;
}

/** Longer than a refresh may take, in milliseconds. */
const PATIENCE = 30_000;

/** How often a lease is looked at, in milliseconds. */
const POLL = 50;

/** The best lock that there is for `name`. */
export function lockFor(name: string): Lock {
    const manager = (globalThis as { navigator?: { locks?: LockManager } }).navigator?.locks;
    // Node.js has Web Locks too, in later versions. They hold for its threads, which is as good.
    if (manager !== undefined) return webLock(manager, name);
    const storage = typeof window === 'undefined' ? null : webStorage('localStorage');
    return storage === null ? pageLock(name) : leaseLock(storage, name);
}

/** Web Locks: of all tabs of the origin, released by the browser whatever happens to the tab. */
export function webLock(manager: LockManager, name: string): Lock {
    return {
        async run(task) {
            const waiting = new AbortController();
            const timer = setTimeout(() => {
                waiting.abort();
            }, PATIENCE);
            const once = startable(() => {
                clearTimeout(timer);
                return task();
            });
            try {
                return await manager.request(name, { signal: waiting.signal }, once.start);
            } catch (error) {
                if (once.started()) throw error;
                // Not granted in time, or not allowed here at all (in a sandboxed frame, say).
                return await once.start();
            } finally {
                clearTimeout(timer);
            }
        },
        async tryRun(task) {
            const once = startable(task);
            try {
                return await manager.request(name, { ifAvailable: true }, (lock) => (lock ? once.start() : null));
            } catch (error) {
                if (once.started()) throw error;
                return null;
            }
        },
    };
}

/** A task of which it can be told whether it has been started: if so, a failure is the task's own. */
function startable<T>(task: () => Promise<T>): { start: () => Promise<T>; started: () => boolean } {
    let started = false;
    const start = () => {
        started = true;
        return task();
    };
    return { start, started: () => started };
}

/** The tasks of this page that have a lock or wait for it. */
const queues = new Map<string, Promise<unknown>>();

/** Of this page alone. */
export function pageLock(name: string): Lock {
    const run = <T>(task: () => Promise<T>): Promise<T> => {
        const result = (queues.get(name) ?? Promise.resolve()).then(task);
        const done: Promise<unknown> = result
            .catch(() => null)
            .then(() => {
                if (queues.get(name) === done) queues.delete(name);
            });
        queues.set(name, done);
        return result;
    };
    return { run, tryRun: async (task) => (queues.has(name) ? null : await run(task)) };
}

/**
 * A lease in a storage that all tabs see, for browsers without Web Locks (and pages that are not secure contexts). It can
 * fail to keep two tabs apart that write in the same moment, which the service's protocol bears.
 */
export function leaseLock(storage: Storage, name: string): Lock {
    const key = `${name}:lease`;
    const inPage = pageLock(name);
    const stored = () => {
        try {
            return storage.getItem(key) ?? '';
        } catch {
            return '';
        }
    };
    const holder = () => {
        const [owner = '', until = '0'] = stored().split('@');
        const rest = Number(until) - Date.now();
        // One that goes on for longer than it ever does was taken before the clock was set back.
        return rest > 0 && rest < 2 * PATIENCE ? owner : '';
    };
    const take = async (owner: string): Promise<boolean> => {
        if (holder() !== '') return false;
        try {
            storage.setItem(key, `${owner}@${String(Date.now() + PATIENCE)}`);
        } catch {
            // Full, or forbidden: a task that did not run for it would be the greater harm.
            return true;
        }
        // Whoever wrote last in the meantime has it.
        await pause(POLL);
        return holder() === owner;
    };
    const held = async <T>(owner: string, task: () => Promise<T>): Promise<T> => {
        try {
            return await task();
        } finally {
            if (holder() === owner) storage.removeItem(key);
        }
    };
    return {
        run: (task) =>
            inPage.run(async () => {
                const [owner, end] = [newOwner(), Date.now() + PATIENCE];
                while (!(await take(owner)) && Date.now() < end) await pause(POLL);
                return await held(owner, task);
            }),
        tryRun: (task) =>
            inPage.tryRun(async () => {
                const owner = newOwner();
                return (await take(owner)) ? await held(owner, task) : null;
            }),
    };
}

/** A name for whoever holds a lease. It keeps no secret. */
function newOwner(): string {
    return Math.random().toString(36).slice(2);
}

function pause(milliseconds: number): Promise<void> {
    return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
