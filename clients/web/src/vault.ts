import { deviceOf, withDevice } from './devices.js';
import { AuthError } from './errors.js';
import { devicesIn, freshRenewal, parse, serialise, type Devices, type Entry, type Renewal } from './session.js';
import { memoryStorage, webStorage, type KeyValueStorage } from './storage.js';

/** Where the one session of a client is kept, and who else keeps it. */
export interface Vault {
    /**
     * Whose it is. `tab`: of this tab alone. `copied`: of this tab, but a duplicated tab begins with a copy of it.
     * `shared`: all tabs read and write the same entry. `custom`: a storage of the application's, which may be any of
     * these. `cookie`: the browser has one refresh token for all tabs, and each tab has its access token in memory.
     */
    readonly kind: 'tab' | 'copied' | 'shared' | 'custom' | 'cookie';
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
    /** The device token for a login with this address. With cookies the browser sends it. */
    device(email: string): Promise<string | null>;
    /** Keeps a device token, which is stored with the next entry. */
    keepDevice(email: string, token: string): void;
}

/** A vault in a store of texts. */
export function keyValueVault(
    kind: Exclude<Vault['kind'], 'cookie'>,
    storage: KeyValueStorage,
    key: string,
): Vault {
    let devices: Devices = [];
    const read = async () => {
        const text = await readable(() => storage.getItem(key));
        devices = devicesIn(text);
        return parse(text);
    };
    const write = (entry: Entry) => stored(() => storage.setItem(key, serialise(entry, devices)));
    const clear = () =>
        stored(() =>
            devices.length > 0 ? storage.setItem(key, serialise(null, devices)) : storage.removeItem(key),
        );
    return {
        kind,
        read,
        write,
        adopt: write,
        clear,
        drop: clear,
        patience: () => (kind === 'copied' ? PERHAPS : 0),
        async device(email) {
            await read();
            return deviceOf(devices, email);
        },
        keepDevice(email, token) {
            devices = withDevice(devices, email, token);
        },
    };
}

/** A storage that is read answers within this, in milliseconds. */
const READING = 5_000;

/** Another tab may have it. Within one browser an answer takes one or two milliseconds. */
const PERHAPS = 100;

/** Another tab does have it, unless it has been closed; it may be busy. */
export const SURELY = 1000;

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
            if ('signedOut' in marks) {
                held = null;
                return null;
            }
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
        device: () => Promise.resolve(null),
        keepDevice: () => undefined,
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

/** Reads, for a limited time: a storage may never answer, and nobody would learn why nothing is known. */
async function readable<T>(action: () => T): Promise<Awaited<T>> {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const late = new Promise<never>((_, reject) => {
        timer = setTimeout(() => {
            reject(new Error('no answer'));
        }, READING);
    });
    try {
        return await stored(() => Promise.race([action(), late]));
    } finally {
        clearTimeout(timer);
    }
}
