import { AuthError } from './errors.js';
import { freshRenewal, parse, serialise, type Entry, type Renewal } from './session.js';
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
    write(entry: Entry): Promise<unknown>;
    /** Takes over what another tab has stored. */
    adopt(entry: Entry): Promise<unknown>;
    /** Forgets the session. With `byUser` a cookie that may be left over is not used again. */
    clear(byUser: boolean): Promise<unknown>;
    /** Forgets what this tab has of a session that another tab has ended. */
    drop(): Promise<unknown>;
    /** For how many milliseconds it is worth asking other tabs for a later state of the session than `read` found. */
    patience(): number;
}

/** A vault in a store of texts. */
export function keyValueVault(kind: 'tab' | 'copied' | 'shared', storage: KeyValueStorage, key: string): Vault {
    return {
        kind,
        read: async () => parse(await stored(() => storage.getItem(key))),
        write: (entry) => stored(() => storage.setItem(key, serialise(entry))),
        adopt: (entry) => stored(() => storage.setItem(key, serialise(entry))),
        clear: () => stored(() => storage.removeItem(key)),
        drop: () => stored(() => storage.removeItem(key)),
        patience: () => (kind === 'copied' ? PERHAPS : 0),
    };
}

/** Another tab may have it. Within one browser an answer takes one or two milliseconds. */
const PERHAPS = 100;

/** Another tab does have it, unless it has been closed; it may be busy. */
const SURELY = 1000;

/** What is stored with cookie delivery: no token, and nothing about the user. */
type Marks = { renewal: Renewal; storedAt: number; expiresAt: number } | { signedOut: true };

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
    const readMarks = async () => marksOf(await stored(() => storage.getItem(marksKey(key))));
    let held: Entry | null = null;
    let patience = 0;
    return {
        kind: 'cookie',
        async read() {
            const marks = await readMarks();
            const session = held?.session ?? null;
            patience = 0;
            if (marks === null) return held ?? { session, renewal: freshRenewal(newKey()) };
            if ('signedOut' in marks) return null;
            // Whoever has signed in or renewed has left a mark, which another process may not see at once.
            const heldAt = session?.storedAt ?? 0;
            patience = marks.storedAt > heldAt && marks.expiresAt > Date.now() ? SURELY : PERHAPS;
            return held !== null && marks.storedAt < heldAt ? held : { session, renewal: marks.renewal };
        },
        async write(entry) {
            const marks = await readMarks();
            const former = marks === null || 'signedOut' in marks ? { storedAt: 0, expiresAt: 0 } : marks;
            const { storedAt, expiresAt } = entry.session ?? former;
            // Tokens in bodies again: the next page is to keep them as its options say.
            if (entry.session?.refreshToken != null) await stored(() => storage.removeItem(marksKey(key)));
            else await mark({ renewal: entry.renewal, storedAt, expiresAt });
            held = entry;
        },
        // The marks are that tab's, and may be later ones by now.
        adopt(entry) {
            held = entry;
            return Promise.resolve();
        },
        async clear(byUser) {
            held = null;
            if (byUser) await mark({ signedOut: true });
            else await stored(() => storage.removeItem(marksKey(key)));
        },
        drop() {
            held = null;
            return Promise.resolve();
        },
        patience: () => patience,
    };
}

function marksOf(text: string | null | undefined): Marks | null {
    try {
        const marks = JSON.parse(text ?? 'null') as Partial<Marks & { renewal: Renewal }> | null;
        const whole =
            marks !== null && ('signedOut' in marks || typeof marks.renewal?.idempotencyKey === 'string');
        return whole ? (marks as Marks) : null;
    } catch {
        return null;
    }
}

async function stored<T>(action: () => T): Promise<Awaited<T>> {
    try {
        return await action();
    } catch (cause) {
        throw new AuthError('storage_failed', 'The storage of the session does not work.', { cause });
    }
}
