/**
 * Where a session is kept: a store of texts, synchronous or not. `localStorage`, `sessionStorage` and React Native's
 * AsyncStorage are such stores as they are; anything else is a few lines.
 */
export interface KeyValueStorage {
    getItem(key: string): string | null | undefined | Promise<string | null | undefined>;
    setItem(key: string, value: string): unknown;
    removeItem(key: string): unknown;
}

/** The kinds of storage that a browser has. */
export type StorageName = 'memory' | 'sessionStorage' | 'localStorage';

/** A store that forgets everything when the page goes. */
export function memoryStorage(): KeyValueStorage {
    const items = new Map<string, string>();
    return {
        getItem: (key) => items.get(key) ?? null,
        setItem: (key, value) => items.set(key, value),
        removeItem: (key) => items.delete(key),
    };
}

/**
 * A store of the browser; `null` where there is none, or the user does not allow it (its very mention throws then). In
 * Node.js 25 `localStorage` is an object without methods, unless a file is given for it.
 */
export function webStorage(name: 'sessionStorage' | 'localStorage'): Storage | null {
    try {
        const storage = (globalThis as Partial<Pick<Window, typeof name>>)[name];
        return METHODS.every((method) => typeof storage?.[method] === 'function') ? (storage ?? null) : null;
    } catch {
        return null;
    }
}

const METHODS = ['getItem', 'setItem', 'removeItem'] as const;
