import { claimsOf } from './jwt.js';
import { freshRenewal, sessionIdOf, type Entry } from './session.js';

/** Whether an answer carries a token that the authorizer has renewed (`RENEWAL=access` or `rotate`). */
export function hasRenewed(headers: Headers): boolean {
    return accessTokenIn(headers) !== null;
}

/**
 * The entry with the tokens of an answer's headers, or `null` if there is nothing in them that is later than it. An
 * answer may come late: what belongs to another session or to an earlier state of this one is left alone.
 */
export function withRenewed(entry: Entry, headers: Headers, newKey: () => string): Entry | null {
    const { session, renewal } = entry;
    const token = accessTokenIn(headers);
    if (session === null || token === null) return null;
    const { sid, iat, exp } = claimsOf(token);
    const isLater = (exp ?? 0) > (claimsOf(session.token).exp ?? 0);
    if (sid === null || sid !== sessionIdOf(session) || iat === null || exp === null || !isLater) return null;
    const now = Date.now();
    const renewed = { ...session, token, expiresAt: now + (exp - iat) * 1000, storedAt: now };
    const refreshToken = headers.get('x-new-refresh-token');
    const [next, present] = [claimsOf(refreshToken), claimsOf(session.refreshToken)];
    const follows = next.sid === sid && next.gen !== null && present.gen !== null && next.gen > present.gen;
    if (refreshToken === null || !follows) return { session: renewed, renewal };
    // A key is of one token only.
    return { session: { ...renewed, refreshToken }, renewal: freshRenewal(newKey()) };
}

/** Both names carry the same token. */
function accessTokenIn(headers: Headers): string | null {
    return headers.get('x-new-access-token') ?? headers.get('x-new-token');
}
