/** Where the page is; `undefined` outside a browser. */
export function pageUrl(): string | undefined {
    return (globalThis as { location?: { href?: string } }).location?.href;
}

/** The URL that relative URLs are relative to in a browser: a `<base>` may name it. */
export function documentUrl(): string | undefined {
    return (globalThis as { document?: { baseURI?: string } }).document?.baseURI ?? pageUrl();
}

/**
 * Whether this is a server: one process for many visitors. Pages and workers of a browser have a location, and React
 * Native has a window. Node.js, Deno, Bun and Cloudflare Workers have neither.
 */
export function isServer(): boolean {
    return typeof window === 'undefined' && pageUrl() === undefined;
}

/** The page's window. React Native has one, too, that has no events. */
export function page(): Window | null {
    return typeof window !== 'undefined' && typeof window.addEventListener === 'function' ? window : null;
}

/** Whether nobody sees the page. */
export function isHidden(): boolean {
    return view()?.visibilityState === 'hidden';
}

/** Calls `listener` when the machine is online again and when the page becomes visible again. Returns the way to stop. */
export function onWake(listener: () => void): () => void {
    const shown = () => {
        if (!isHidden()) listener();
    };
    const [network, visibility] = [page(), view() ?? page()];
    network?.addEventListener('online', listener);
    visibility?.addEventListener('visibilitychange', shown);
    return () => {
        network?.removeEventListener('online', listener);
        visibility?.removeEventListener('visibilitychange', shown);
    };
}

function view(): Document | null {
    return typeof document !== 'undefined' && typeof document.addEventListener === 'function' ? document : null;
}
