import { throwIfAborted, unlessAborted, type Signal } from './abort.js';
import { SessionBearer } from './bearer.js';
import { findDelivery, type Deliver } from './delivery.js';
import type { Lock } from './lock.js';
import type { Settings } from './options.js';
import { Renewer } from './renewer.js';
import { Service } from './service.js';
import type { SessionStore } from './store.js';

/** The parts that a client is put together from. */
export interface Parts {
    settings: Settings;
    store: SessionStore;
    lock: Lock;
    /** Whether a token that still holds is renewed while requests go on with it. */
    inBackground: boolean;
    /**
     * Whether nothing outlives the client: its tokens are renewed once. The successor of a successor would leave what is
     * stored two steps behind, like a thief's.
     */
    readOnly: boolean;
}

/** What the calls of a client share. */
export interface Core extends Parts {
    service: Service;
    renewer: Renewer;
    bearer: SessionBearer;
    delivered: Deliver;
}

export function coreOf(parts: Parts): Core {
    const { settings, store, lock, inBackground, readOnly } = parts;
    const service = new Service(settings);
    const delivered = findDelivery(settings, store);
    const renewer = new Renewer(settings, service, store, lock, delivered, readOnly);
    const bearer = new SessionBearer(settings, store, renewer, inBackground);
    return { ...parts, service, renewer, bearer, delivered };
}

/** Runs a task when it is its turn, unless the caller gives up before. A task that has begun is finished. */
export async function inTurn<T>({ lock }: Core, signal: Signal, task: () => Promise<T>): Promise<T> {
    let begin: () => void;
    const begun = new Promise<void>((resolve) => (begin = resolve));
    const whole = lock.run(async () => {
        throwIfAborted(signal);
        begin();
        return await task();
    });
    whole.catch(() => null);
    await unlessAborted(Promise.race([begun, whole]), signal);
    return await whole;
}
