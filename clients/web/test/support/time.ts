import { vi } from 'vitest';

/** Lets fake time pass until `promise` is settled, in steps of ten milliseconds. */
export async function soon<T>(promise: Promise<T>): Promise<T> {
    const progress = { settled: false };
    const done = promise.finally(() => (progress.settled = true));
    done.catch(() => null);
    for (let step = 0; step < 20_000 && !progress.settled; step += 1) await vi.advanceTimersByTimeAsync(10);
    return await done;
}

/** Lets so many seconds of fake time pass. */
export async function pass(seconds: number): Promise<void> {
    await vi.advanceTimersByTimeAsync(seconds * 1000);
}

/** What `promise` is rejected with. */
export async function failureOf(promise: Promise<unknown>): Promise<unknown> {
    return await soon(
        promise.then(
            () => null,
            (error: unknown) => error,
        ),
    );
}
