/** A theft from its beginning to its end, with requests that a thief would send. */
import { log, pause } from './page.js';

/** Longer than the grace of `make demo`, in milliseconds: within it a used token gets the same answer again. */
const GRACE_OVER = 4500;

/**
 * @param {import('/client/index.js').Auth} auth
 * @param {string} baseUrl
 */
export async function steal(auth, baseUrl) {
    // So that the page has no reason to renew while the thief is at work.
    const copy = (await auth.renew()).refreshToken;
    log('theft', 'The thief copies your refresh token.');
    const first = await refresh(baseUrl, copy);
    log('theft', `The thief refreshes with it: ${String(first.status)}. The thief has the next token.`, {
        bad: true,
    });
    log('theft', 'Some seconds pass, until the grace for lost answers is over.');
    await pause(GRACE_OVER);
    const ended = await auth.renew().then(
        () => false,
        () => true,
    );
    const again = await refresh(baseUrl, first.refreshToken);
    const thief = `The thief’s next refresh: ${String(again.status)}.`;
    return ended
        ? `Your refresh token was used by somebody else. The service noticed it when your page came with it, and ended the session for both. ${thief}`
        : `The session goes on. ${thief}`;
}

/**
 * As a thief would: the token, and no Idempotency-Key, which is not in the token.
 *
 * @param {string} baseUrl
 * @param {string | null} refreshToken
 * @returns {Promise<{ status: number, refreshToken: string | null }>}
 */
async function refresh(baseUrl, refreshToken) {
    const response = await fetch(`${baseUrl}/auth/refresh`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ refreshToken }),
    });
    const answer = /** @type {{ refreshToken?: string }} */ (await response.json());
    return { status: response.status, refreshToken: answer.refreshToken ?? null };
}
