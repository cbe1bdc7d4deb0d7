import { AuthError } from './errors.js';
import type { Grant } from './formats.js';
import type { Settings } from './options.js';
import { pageUrl } from './page.js';
import type { SessionStore } from './store.js';

/** Takes note of how an answer delivers the refresh token. Says whether it was only now found to be in a cookie. */
export type Deliver = (grant: Grant) => Promise<boolean>;

/** Finds out about cookies from the first answer without a refresh token, and moves the session of `store` there. */
export function findDelivery({ delivery, baseUrl }: Settings, store: SessionStore): Deliver {
    return async ({ refreshToken }) => {
        if (refreshToken !== null || store.kind === 'cookie') return false;
        if (delivery !== 'body' && !isForeign(baseUrl) && (await store.moveToCookies())) return true;
        const message =
            'The answer has no refresh token. If it is in a cookie, give the option delivery: "cookie".';
        throw new AuthError('bad_answer', message);
    };
}

/** Whether a browser has thrown the service's cookie away: without the option it is asked to keep those of its origin only. */
function isForeign(baseUrl: string): boolean {
    const page = pageUrl();
    return page !== undefined && new URL(baseUrl).origin !== new URL(page).origin;
}
