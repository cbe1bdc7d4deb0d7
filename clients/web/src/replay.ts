/** A request that can be sent more than once. */
export interface Replay {
    /** Where it goes, as it was at the call. */
    readonly url: URL;
    /** Changes nothing where it goes (RFC 9110 §9.2.1). */
    readonly isSafe: boolean;
    /** Has an `Authorization` header of its caller's. */
    readonly isAuthorized: boolean;
    /** Its body is a stream or the like, which is gone once it has been sent. */
    readonly isStream: boolean;
    readonly signal: AbortSignal | null;
    /** Sends it with further headers. */
    send(headers: Record<string, string>, overrides?: RequestInit): Promise<Response>;
}

/** Makes a request of what `fetch` takes. The body of a `Request` is kept in memory until the answer is there. */
export function replayable(
    fetch: typeof globalThis.fetch,
    resolve: (url: string | URL) => URL,
    input: RequestInfo | URL,
    init: RequestInit = {},
): Replay {
    // One that another frame has made is no instance of this one's `Request`.
    const request = typeof input === 'object' && 'url' in input ? new Request(input, init) : null;
    const url = resolve(request?.url ?? (input as string | URL));
    const headers = new Headers(request?.headers ?? init.headers);
    const method = (request?.method ?? init.method ?? 'GET').toUpperCase();
    return {
        url,
        isSafe: method === 'GET' || method === 'HEAD',
        isAuthorized: headers.has('authorization'),
        isStream: isStream(init.body),
        signal: request?.signal ?? init.signal ?? null,
        send(further, overrides = {}) {
            const all = new Headers(headers);
            for (const [name, value] of Object.entries(further)) all.set(name, value);
            if (request !== null) return fetch(request.clone(), { ...overrides, headers: all });
            return fetch(url.href, { ...init, ...overrides, headers: all });
        },
    };
}

/** Node.js takes every asynchronous iterable; Safari's streams are none. */
function isStream(body: unknown): boolean {
    return typeof body === 'object' && body !== null && (Symbol.asyncIterator in body || 'getReader' in body);
}
