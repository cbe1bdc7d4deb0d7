/** What this client reads in a token. Nothing is verified: that is the service's work. Times are epoch seconds. */
export interface Claims {
    sub: string | null;
    sid: string | null;
    gen: number | null;
    iat: number | null;
    exp: number | null;
}

const UNREADABLE: Claims = { sub: null, sid: null, gen: null, iat: null, exp: null };

/** The claims of a JWT; each is `null` if the token is none, or does not say. */
export function claimsOf(token: string | null | undefined): Claims {
    const payload = token?.split('.')[1];
    if (payload === undefined) return UNREADABLE;
    try {
        // The claims that are read are ASCII, so that there is no need to decode UTF-8.
        const claims: unknown = JSON.parse(atob(payload.replaceAll('-', '+').replaceAll('_', '/')));
        if (typeof claims !== 'object' || claims === null) return UNREADABLE;
        const { sub, sid, gen, iat, exp } = claims as Record<string, unknown>;
        return { sub: text(sub), sid: text(sid), gen: number(gen), iat: number(iat), exp: number(exp) };
    } catch {
        return UNREADABLE;
    }
}

function text(value: unknown): string | null {
    return typeof value === 'string' ? value : null;
}

function number(value: unknown): number | null {
    return typeof value === 'number' ? value : null;
}
