import { onTestFinished, vi } from 'vitest';

import { createAuth, type Auth, type AuthOptions } from '../../src/index.js';
import { BASE, type FakeService } from './service.js';

/** The tabs of one browser: they share `localStorage`, locks, channels and cookies, and each has its own `sessionStorage`. */
export class Browser {
    readonly local: FakeStorage;
    readonly #fetch: typeof fetch;

    constructor(service: FakeService | Browser, { locks = true }: { locks?: boolean } = {}) {
        // After a crash there is what was stored, and the cookies.
        this.local = service instanceof Browser ? service.local.copy() : new FakeStorage();
        this.#fetch = service instanceof Browser ? service.#fetch : service.browser();
        vi.stubGlobal('window', new EventTarget());
        vi.stubGlobal('localStorage', this.local);
        vi.stubGlobal('BroadcastChannel', FakeChannel);
        FakeChannel.open.clear();
        vi.stubGlobal('navigator', locks ? { locks: new FakeLocks() } : {});
    }

    /** A tab. A duplicated one begins with a copy of the other's `sessionStorage`. */
    tab(options: Partial<AuthOptions> = {}, session = new FakeStorage()): Auth {
        vi.stubGlobal('sessionStorage', session);
        const auth = createAuth({ baseUrl: BASE, fetch: this.#fetch, ...options });
        onTestFinished(() => {
            auth.close();
        });
        return auth;
    }
}

export class FakeStorage implements Storage {
    readonly items: Map<string, string>;
    [name: string]: unknown;

    constructor(items: Iterable<[string, string]> = []) {
        this.items = new Map(items);
    }

    get length(): number {
        return this.items.size;
    }

    copy(): FakeStorage {
        return new FakeStorage(this.items);
    }

    clear(): void {
        this.items.clear();
    }

    key(index: number): string | null {
        return [...this.items.keys()][index] ?? null;
    }

    getItem(key: string): string | null {
        return this.items.get(key) ?? null;
    }

    setItem(key: string, value: string): void {
        this.items.set(key, value);
    }

    removeItem(key: string): void {
        this.items.delete(key);
    }
}

/** A channel whose messages take a millisecond of the test's time. */
class FakeChannel {
    static readonly open = new Set<FakeChannel>();
    onmessage: ((event: MessageEvent) => void) | null = null;
    readonly name: string;

    constructor(name: string) {
        this.name = name;
        FakeChannel.open.add(this);
    }

    postMessage(message: unknown): void {
        if (!FakeChannel.open.has(this)) throw new DOMException('closed', 'InvalidStateError');
        const data: unknown = structuredClone(message);
        for (const channel of FakeChannel.open) {
            if (channel === this || channel.name !== this.name) continue;
            setTimeout(() => {
                if (FakeChannel.open.has(channel)) channel.onmessage?.(new MessageEvent('message', { data }));
            }, 1);
        }
    }

    close(): void {
        FakeChannel.open.delete(this);
    }
}

/** Web Locks, as far as this client uses them. */
export class FakeLocks {
    readonly #queues = new Map<string, Promise<unknown>>();

    async request(name: string, options: LockOptions, task: (lock: object | null) => unknown): Promise<unknown> {
        const before = this.#queues.get(name);
        if (options.ifAvailable === true && before !== undefined) return await task(null);
        const turn = (before ?? Promise.resolve()).catch(() => null);
        let release!: () => void;
        const held = new Promise<void>((resolve) => (release = resolve));
        const queue = turn.then(() => held);
        this.#queues.set(name, queue);
        try {
            await Promise.race([turn, aborted(options.signal)]);
            return await task({ name });
        } finally {
            release();
            if (this.#queues.get(name) === queue) this.#queues.delete(name);
        }
    }
}

function aborted(signal: AbortSignal | undefined): Promise<never> {
    return new Promise((_, reject) => {
        signal?.addEventListener('abort', () => {
            reject(new DOMException('aborted', 'AbortError'));
        });
    });
}
