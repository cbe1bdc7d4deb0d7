/** Runs a task with a signal that ends it after `milliseconds`. (`AbortSignal.timeout` is not everywhere that `fetch` is.) */
export async function within<T>(milliseconds: number, task: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const ending = new AbortController();
    const timer = setTimeout(() => {
        ending.abort();
    }, milliseconds);
    try {
        return await task(ending.signal);
    } finally {
        clearTimeout(timer);
    }
}
