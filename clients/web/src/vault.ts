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
    /** Takes over what another tab has stored. */
    adopt(entry: Entry): Promise<void>;
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
        adopt: (entry) => stored(() => storage.setItem(key, serialise(entry))),
        clear: () => stored(() => storage.removeItem(key)),
        drop: () => stored(() => storage.removeItem(key)),
        mayBeBehind: () => kind === 'copied',
    };
}

/** What is stored with cookie delivery: no token, and nothing about the user. */
type Marks = { renewal: Renewal } | { signedOut: true };

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
    const mark = (value: Marks) => stored(() => storage.setItem(marksKey(key), JSON.stringify(value)));
    let session: Session | null = null;
    let known = false;
    return {
        kind: 'cookie',
        async read() {
            const marks = readMarks(await storage.getItem(marksKey(key)));
            known = marks !== null;
            if (marks === null) return { session, renewal: freshRenewal(newKey()) };
            return 'signedOut' in marks ? null : { session, renewal: marks.renewal };
        },
        async write(entry) {
            await mark({ renewal: entry.renewal });
            session = entry.session;
        },
        // The marks are that tab's, and may be later ones by now.
        adopt(entry) {
            session = entry.session;
            return Promise.resolve();
        },
        async clear(byUser) {
            session = null;
            if (byUser) await mark({ signedOut: true });
            else await stored(() => storage.removeItem(marksKey(key)));
        },
        drop() {
            session = null;
            return Promise.resolve();
        },
        // Whoever has signed in or renewed has left a mark.
        mayBeBehind: () => known,
    };
}

function readMarks(text: string | null | undefined): Marks | null {
    try {
        return JSON.parse(text ?? 'null') as Marks | null;
    } catch {
        return null;
    }
}

async function stored(action: () => unknown): Promise<void> {
    try {
        await action();
    } catch (cause) {
        throw new AuthError('storage_failed', 'The session could not be stored.', { cause });
    }
}
