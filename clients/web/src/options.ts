import { documentUrl, pageUrl } from './page.js';
import type { KeyValueStorage, StorageName } from './storage.js';

/** How a client is to be. Spans of time are milliseconds. */
export interface AuthOptions {
    /** Where the service is: `https://api.example.com`, with the base path if it has one. */
    baseUrl: string;
    /** Where the session is kept: `memory` (the default), `sessionStorage`, `localStorage`, or a storage of your own. */
    storage?: StorageName | KeyValueStorage;
    /**
     * How the service delivers refresh tokens (its `TOKEN_DELIVERY`). Left out, it is found out from the first answer;
     * a service with cookies on another origin has to be named, or the browser does not keep its cookie.
     */
    delivery?: 'body' | 'cookie';
    /** How long before its end an access token is renewed (5 minutes), at most a fifth of its life, give or take a fifth. */
    margin?: number;
    /** How long one request to the service may take (15 seconds). */
    timeout?: number;
    /**
     * The statuses of an answer for which the token is renewed and the request repeated, once (401 and 403). For 403 a
     * token that was issued moments ago is not renewed: what it says is true now.
     */
    renewOn?: readonly number[];
    /** Further origins that are sent the access token, such as `https://orders.example.com`. That of `baseUrl` is. */
    origins?: readonly string[];
    /** Sends the refresh token in `X-Refresh-Token` where it is about to be renewed: for a service with `RENEWAL=rotate`. */
    sendRefreshToken?: boolean;
    /** The name of the session in its storage (`latchkey:` and `baseUrl`). */
    storageKey?: string;
    /** The `fetch` that is used, if not the global one. */
    fetch?: typeof globalThis.fetch;
    /** Makes a random key that nobody can guess; needed only where there is no `crypto.getRandomValues`. */
    randomKey?: () => string;
}

/** Options with everything filled in and checked. */
export interface Settings {
    readonly baseUrl: string;
    readonly storage: StorageName | KeyValueStorage;
    readonly delivery: 'body' | 'cookie' | null;
    readonly margin: number;
    readonly timeout: number;
    readonly renewOn: ReadonlySet<number>;
    readonly origins: ReadonlySet<string>;
    readonly sendRefreshToken: boolean;
    readonly storageKey: string;
    readonly fetch: typeof globalThis.fetch;
    readonly randomKey: () => string;
}

/** Fills the defaults in. Throws a `TypeError` that names an option that cannot be meant. */
export function settle(options: AuthOptions): Settings {
    const name = withoutSlash(options.baseUrl);
    const baseUrl = withoutSlash(absolute(`${name}/`).href);
    const { margin = 300_000, timeout = 15_000, renewOn = [401, 403] } = options;
    if (options.randomKey === undefined && !hasRandomness()) {
        throw new TypeError('there is no crypto.getRandomValues here: give the option randomKey');
    }
    if (!(margin >= 0)) throw new TypeError('margin has to be a number of milliseconds');
    if (!(timeout > 0)) throw new TypeError('timeout has to be a number of milliseconds');
    if (!renewOn.every((status) => status >= 400 && status < 600)) {
        throw new TypeError('renewOn has to be a list of statuses from 400 to 599');
    }
    return {
        baseUrl,
        storage: options.storage ?? 'memory',
        delivery: options.delivery ?? null,
        margin,
        // A timer that is longer would end at once.
        timeout: Math.min(timeout, 2 ** 31 - 1),
        renewOn: new Set(renewOn),
        origins: new Set([baseUrl, ...(options.origins ?? [])].map((url) => absolute(url).origin)),
        sendRefreshToken: options.sendRefreshToken ?? false,
        storageKey: options.storageKey ?? `latchkey:${name}`,
        // Called as a method it would be an illegal invocation in a browser; looked up late, a test can replace it.
        fetch: options.fetch ?? ((input, init) => globalThis.fetch(input, init)),
        randomKey: options.randomKey ?? randomKey,
    };
}

function withoutSlash(url: string): string {
    return url.replace(/\/+$/, '');
}

/** A relative one is of the page's origin: a `<base>` that somebody has slipped in gets no password. */
function absolute(url: string): URL {
    try {
        const [page, base] = [pageUrl(), documentUrl()];
        const isOwn = page !== undefined && base !== undefined && new URL(base).origin === new URL(page).origin;
        const meant = new URL(url, isOwn ? base : page);
        if (meant.protocol === 'https:' || meant.protocol === 'http:') return meant;
    } catch {
        // Said below.
    }
    throw new TypeError(`${url} is not an http or https URL`);
}

function hasRandomness(): boolean {
    return typeof (globalThis as { crypto?: Partial<Crypto> }).crypto?.getRandomValues === 'function';
}

/** 128 random bits. A key that can be guessed would let a thief of a token follow its owner unseen. */
function randomKey(): string {
    return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) =>
        byte.toString(16).padStart(2, '0'),
    ).join('');
}
