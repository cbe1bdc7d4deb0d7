import { AuthError } from './errors.js';
import { isHidden, onWake } from './page.js';
import type { Renewer } from './renewer.js';
import { afterFailure } from './schedule.js';
import { freshRenewal } from './session.js';
import type { SessionStore } from './store.js';

/**
 * Looks for the session again as long as the first look has failed and nothing is known of it: after growing intervals
 * of up to 30 seconds, or as the service asks, and when the machine is online or the page visible again. Returns the way
 * to stop.
 */
export function keepLooking(store: SessionStore, renewer: Renewer, look: () => Promise<unknown>): () => void {
    let timer: ReturnType<typeof setTimeout> | undefined;
    let attempts = freshRenewal('');
    const isLost = () => store.state.status === 'unknown' && store.state.error !== null;
    const attempt = () => {
        clearTimeout(timer);
        // A page that nobody sees waits until somebody does.
        if (isLost() && !isHidden()) look().catch(schedule);
    };
    const schedule = (error: unknown) => {
        clearTimeout(timer);
        if (!isLost()) return;
        const now = Date.now();
        const retryAfter = error instanceof AuthError ? error.retryAfter : null;
        attempts = afterFailure(attempts, now, retryAfter, Math.random());
        timer = setTimeout(attempt, attempts.retryAt - now);
        // It keeps no process of Node.js alive.
        (timer as { unref?: () => void }).unref?.();
    };
    const unlisten = store.listen(({ status, error }) => {
        if (status === 'unknown') schedule(error);
        else clearTimeout(timer);
    });
    const asleep = onWake(() => {
        renewer.wake();
        attempt();
    });
    return () => {
        clearTimeout(timer);
        unlisten();
        asleep();
    };
}
