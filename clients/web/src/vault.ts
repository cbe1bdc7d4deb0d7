import { AuthError } from './errors.js';
import { freshRenewal, parse, serialise, type Entry, type Renewal, type Session } from './session.js';
import { memoryStorage, webStorage, type KeyValueStorage } from './storage.js';

/** Where the one session of a client is kept, and who else keeps it. */
export interface Vault {
    /**
     * Whose it is. `tab`: of this tab alone. `copied`: of this tab, but a duplicated tab begins with a copy of it.
     * `shared`: all tabs read and write the same entry. `cookie`: the browser has one refresh token for all tabs, and
     * each tab has its access token in memory.
     */
    readonly kind: 'tab' | 'copied' | 'shared' | 'cookie';
    read(): Promise<Entry | null>;
    /** Stores an entry. Throws `storage_failed` if it cannot be stored. */
    write(entry: Entry): Promise<void>;
    /** Forgets the session. With `byUser` a cookie that may be left over is not used again. */
    clear(byUser: boolean): Promise<void>;
    /** Forgets what this tab has of a session that another tab has ended. */
    drop(): Promise<void>;
    /** Whether another tab may have a later state of the session than `read` finds. */
    mayBeBehind(): boolean;
}

/** A vault in a store of texts. */
export function keyValueVault(kind: 'tab' | 'copied' | 'shared', storage: KeyValueStorage, key: string): Vault {
    return {
        kind,
        read: async () => parse(await storage.getItem(key)),
        write: (entry) => stored(() => storage.setItem(key, serialise(entry))),
        clear: () => stored(() => storage.removeItem(key)),
        drop: () => stored(() => storage.removeItem(key)),
        mayBeBehind: () => kind === 'copied',
    };
}

/** What is stored with cookie delivery: no token, and nothing about the user. */
interface Marks {
    renewal: Renewal;
    storedAt: number;
    expiresAt: number;
    signedOut?: boolean;
}

/** Where the marks of cookie delivery are. */
export function marksKey(key: string): string {
    return `${key}:cookie`;
}

/**
 * The vault of cookie delivery. The access token is in memory and the refresh token where no script can see it; only
 * the `Idempotency-Key` and what is known of renewals are stored, so that a reload in the middle of one heals.
 */
export function cookieVault(key: string, newKey: () => string): Vault {
    const storage = webStorage('localStorage') ?? memoryStorage();
    const unused: Renewal = freshRenewal(newKey());
    let session: Session | null = null;
    const marks = async (): Promise<Marks | null> => {
        try {
            return JSON.parse((await storage.getItem(marksKey(key))) ?? 'null') as Marks | null;
        } catch {
            return null;
        }
    };
    const mark = (value: Marks) => stored(() => storage.setItem(marksKey(key), JSON.stringify(value)));
    let behind = false;
    return {
        kind: 'cookie',
        async read() {
            const found = await marks();
            behind = (found?.storedAt ?? 0) > (session?.storedAt ?? 0) && (found?.expiresAt ?? 0) > Date.now();
            if (found?.signedOut === true) return null;
            return { session, renewal: found?.renewal ?? unused };
        },
        async write(entry) {
            const { storedAt, expiresAt } = entry.session ?? (await marks()) ?? { storedAt: 0, expiresAt: 0 };
            await mark({ renewal: entry.renewal, storedAt, expiresAt });
            session = entry.session;
        },
        async clear(byUser) {
            session = null;
            if (byUser)
                await mark({ renewal: freshRenewal(newKey()), storedAt: 0, expiresAt: 0, signedOut: true });
            else await stored(() => storage.removeItem(marksKey(key)));
        },
        drop() {
            session = null;
            return Promise.resolve();
        },
        mayBeBehind: () => behind,
    };
}

async function stored(action: () => unknown): Promise<void> {
    try {
        await action();
    } catch (cause) {
        throw new AuthError('storage_failed', 'The session could not be stored.', { cause });
    }
}
