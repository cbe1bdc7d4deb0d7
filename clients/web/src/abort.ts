import { AuthError } from './errors.js';

/** The signal of a caller, which may be missing. */
export type Signal = AbortSignal | null | undefined;

/** Waits for `promise`, unless the caller gives up before. */
export async function unlessAborted<T>(promise: Promise<T>, signal: Signal): Promise<T> {
    if (signal == null) return await promise;
    let stop: (() => void) | undefined;
    const aborted = new Promise<never>((_, reject) => {
        stop = () => {
            reject(reasonOf(signal));
        };
        if (signal.aborted) stop();
        signal.addEventListener('abort', stop, { once: true });
    });
    try {
        return await Promise.race([aborted, promise]);
    } finally {
        if (stop) signal.removeEventListener('abort', stop);
    }
}

/** Throws the reason of a signal that is aborted. (Its own `throwIfAborted` is not everywhere.) */
export function throwIfAborted(signal: Signal): void {
    if (signal?.aborted) throw reasonOf(signal);
}

/**
 * Runs a request with a signal that ends it after `milliseconds`, or when the caller gives up. A `fetch` that ignores
 * its signal is not waited for either. Whatever goes wrong is an {@link AuthError}, or the caller's own reason.
 */
export async function within<T>(
    milliseconds: number,
    task: (signal: AbortSignal) => Promise<T>,
    caller?: Signal,
): Promise<T> {
    const ending = new AbortController();
    const end = () => {
        ending.abort();
    };
    throwIfAborted(caller);
    const timer = setTimeout(end, milliseconds);
    caller?.addEventListener('abort', end);
    try {
        return await unlessAborted(task(ending.signal), ending.signal);
    } catch (cause) {
        throwIfAborted(caller);
        if (cause instanceof AuthError) throw cause;
        throw new AuthError('network_error', 'The service does not answer.', { cause });
    } finally {
        clearTimeout(timer);
        caller?.removeEventListener('abort', end);
    }
}

/** React Native's signals have no reason. */
function reasonOf(signal: AbortSignal): Error {
    const reason = signal.reason as Error | undefined;
    return reason ?? Object.assign(new Error('The request was aborted.'), { name: 'AbortError' });
}
