import { claims, jwt } from './tokens.js';
import { spellError, spellGrant, spellData, type Format } from './spelling.js';

export const BASE = 'https://api.example.com';

interface Chain {
    sid: string;
    user: string;
    gen: number;
    rotatedAt: number;
    key: string | null;
    ended: boolean;
}

/** How an answer gets lost, or what comes in its place. */
type Mishap = 'request-lost' | 'answer-lost' | 'hangs' | 'garbage' | number | { status: number; body: object };

/**
 * The service as `docs/refresh-protocol.md` describes it, in memory: generations, the grace, idempotency keys, reuse.
 * `log` has what the audit log would have; `mishaps` spoil the next refreshes.
 */
export class FakeService {
    format: Format = 'camel';
    delivery: 'body' | 'cookie' = 'body';
    rotation = true;
    accessLife = 60;
    grace = 10;
    renewal: 'off' | 'access' | 'rotate' = 'off';
    mishaps: Mishap[] = [];
    retryAfter: string | null = null;
    /** Whether a change of the password answers tokens of a new session, as today, or none, as earlier versions do. */
    passwordTokens = true;
    /** Whether device tokens are issued, with bodies. */
    devices = false;
    /** The password of everybody. */
    password = 'Lantern-Quartz-Meadow';
    readonly log: string[] = [];
    readonly requests: Request[] = [];
    readonly chains = new Map<string, Chain>();
    #count = 0;
    #devices = 0;

    /** The `fetch` of one browser, which keeps a cookie. */
    browser(): typeof fetch {
        const jar = { cookie: null as string | null };
        return async (input, init) => {
            const request = new Request(input, init);
            this.requests.push(request.clone());
            await new Promise((resolve) => setTimeout(resolve, 5));
            if (request.signal.aborted) throw new DOMException('aborted', 'AbortError');
            return await this.#route(request, jar);
        };
    }

    count(event: string): number {
        return this.log.filter((entry) => entry === event).length;
    }

    refreshes(): Request[] {
        return this.requests.filter((request) => request.url === `${BASE}/auth/refresh`);
    }

    endAll(): void {
        for (const chain of this.chains.values()) chain.ended = true;
    }

    async #route(request: Request, jar: { cookie: string | null }): Promise<Response> {
        const path = request.url.slice(BASE.length);
        const text = await request.text();
        const json = path.startsWith('/auth/') && text !== '' ? (JSON.parse(text) as Record<string, string>) : {};
        if (path === '/auth/signup' || path === '/auth/login') {
            if (json['password'] === 'wrong') return this.#error(401, 'invalid_credentials');
            this.log.push('login');
            return this.#grant(
                this.#begin(json['email'] ?? ''),
                request,
                jar,
                path === '/auth/signup' ? 201 : 200,
            );
        }
        if (path === '/auth/refresh') return await this.#spoilt(request, json['refreshToken'] ?? jar.cookie, jar);
        if (path === '/auth/logout') return this.#logout(json['refreshToken'] ?? jar.cookie, jar);
        return this.#protected(request, path, text, json, jar);
    }

    async #spoilt(request: Request, token: string | null, jar: { cookie: string | null }): Promise<Response> {
        const mishap = this.mishaps.shift();
        if (typeof mishap === 'number') return this.#error(mishap, 'temporarily_unavailable');
        if (typeof mishap === 'object') return Response.json(mishap.body, { status: mishap.status });
        if (mishap === 'request-lost') throw new TypeError('network');
        if (mishap === 'garbage') return new Response('<html>Sign in to the Wi-Fi</html>', { status: 401 });
        const before = jar.cookie;
        const answer = this.#refresh(request, token, jar);
        if (mishap === undefined) return answer;
        // A browser that gets no answer gets no cookie.
        jar.cookie = before;
        if (mishap === 'answer-lost') throw new TypeError('network');
        return await new Promise((_, reject) => {
            request.signal.addEventListener('abort', () => {
                reject(new DOMException('aborted', 'AbortError'));
            });
        });
    }

    #begin(user: string): Chain {
        const sid = `sid-${String((this.#count += 1))}`;
        const chain = { sid, user, gen: 0, rotatedAt: 0, key: null, ended: false };
        this.chains.set(sid, chain);
        return chain;
    }

    #refresh(request: Request, token: string | null, jar: { cookie: string | null }): Response {
        const { sid, gen } =
            token === null ? { sid: '', gen: 0 } : (claims(token) as { sid: string; gen: number });
        const chain = this.chains.get(sid);
        if (chain === undefined || chain.ended) return this.#refused('refused');
        if (!this.redeem(chain, gen, request.headers.get('idempotency-key'))) return this.#refused('reused');
        return this.#grant(chain, request, jar, 200);
    }

    /** Rotates or repeats; ends the session if a superseded token comes again. */
    redeem(chain: Chain, gen: number, key: string | null): boolean {
        const now = Date.now();
        const inGrace = now - chain.rotatedAt <= this.grace * 1000;
        if (!this.rotation) this.log.push('used');
        else if (gen === chain.gen) {
            Object.assign(chain, { gen: gen + 1, rotatedAt: now, key });
            this.log.push('rotated');
        } else if (gen + 1 === chain.gen && (inGrace || (key !== null && key === chain.key)))
            this.log.push('replayed');
        else {
            chain.ended = true;
            this.log.push('reused');
            return false;
        }
        return true;
    }

    #logout(token: string | null, jar: { cookie: string | null }): Response {
        const chain = token === null ? undefined : this.chains.get(String(claims(token)['sid']));
        if (chain !== undefined) chain.ended = true;
        jar.cookie = null;
        this.log.push('logout');
        return new Response(null, { status: 204 });
    }

    async #protected(
        request: Request,
        path: string,
        text: string,
        json: Record<string, string>,
        jar: { cookie: string | null },
    ): Promise<Response> {
        const bearer = request.headers.get('authorization')?.slice('Bearer '.length);
        if (bearer === undefined) return this.#error(401, 'invalid_token');
        const { sid, exp } = claims(bearer) as { sid: string; exp: number };
        const chain = this.chains.get(sid);
        if (chain === undefined || chain.ended || exp * 1000 <= Date.now())
            return this.#error(401, 'invalid_token');
        const headers = this.#renewed(request, chain, exp);
        if (path === '/auth/me') {
            return Response.json(spellData(this.format, { user: this.#user(chain, json) }), { headers });
        }
        if (path === '/auth/password') return this.#changePassword(chain, json, request, jar, headers);
        if (path === '/auth/revoke-all') {
            this.endAll();
            jar.cookie = null;
            return Response.json(spellData(this.format, { revokedSessions: this.chains.size }));
        }
        if (path === '/auth/sessions')
            return Response.json(spellData(this.format, { sessions: [this.#describe(chain)] }));
        if (path.startsWith('/auth/sessions/')) {
            chain.ended = true;
            return new Response(null, { status: 204 });
        }
        if (path.startsWith('/forbidden')) return this.#error(403, 'forbidden');
        if (path === '/never') return this.#error(401, 'invalid_token');
        return Response.json({ sub: chain.user, echo: text }, { headers });
    }

    #changePassword(
        chain: Chain,
        json: Record<string, string>,
        request: Request,
        jar: { cookie: string | null },
        headers: Headers,
    ): Response {
        const { currentPassword, newPassword } = json as { currentPassword: string; newPassword: string };
        this.log.push('guess');
        if (currentPassword !== this.password) return this.#error(401, 'invalid_credentials');
        if (newPassword.length < 8) return this.#error(400, 'weak_password');
        this.password = newPassword;
        const others = [...this.chains.values()].filter((other) => other !== chain && !other.ended);
        for (const other of others) other.ended = true;
        const revokedSessions = others.length;
        if (!this.passwordTokens) return Response.json(spellData(this.format, { revokedSessions }), { headers });
        chain.ended = true;
        return this.#grant(this.#begin(chain.user), request, jar, 200, { revokedSessions });
    }

    #renewed(request: Request, chain: Chain, exp: number): Headers {
        const headers = new Headers();
        if (this.renewal === 'off' || exp * 1000 - Date.now() > this.accessLife * 200) return headers;
        const token = request.headers.get('x-refresh-token');
        if (this.renewal === 'rotate') {
            if (token === null) return headers;
            const { gen } = claims(token) as { gen: number };
            if (!this.redeem(chain, gen, request.headers.get('x-refresh-idempotency-key'))) return headers;
            headers.set('x-new-refresh-token', this.#refreshToken(chain));
        }
        const access = this.accessToken(chain);
        headers.set('x-new-token', access);
        headers.set('x-new-access-token', access);
        return headers;
    }

    accessToken({ sid, user }: Chain): string {
        const iat = Math.floor(Date.now() / 1000);
        return jwt({ sub: user, sid, iat, exp: iat + this.accessLife, jti: (this.#count += 1) });
    }

    #refreshToken({ sid, user, gen }: Chain): string {
        return jwt({ sub: user, sid, gen, exp: 4_000_000_000 });
    }

    #grant(
        chain: Chain,
        request: Request,
        jar: { cookie: string | null },
        status: number,
        further: Record<string, unknown> = {},
    ): Response {
        const refreshToken = this.#refreshToken(chain);
        if (this.delivery === 'cookie' && request.credentials !== 'omit') jar.cookie = refreshToken;
        const access = { accessToken: this.accessToken(chain), tokenType: 'Bearer', expiresIn: this.accessLife };
        const isRefresh = request.url.endsWith('/auth/refresh');
        const device =
            this.devices && !isRefresh
                ? { deviceToken: `device ${String((this.#devices += 1))} of ${chain.user}` }
                : {};
        const tokens = this.delivery === 'cookie' ? access : { ...access, refreshToken, ...device };
        const headers = this.delivery === 'cookie' ? { 'set-cookie': 'of the jar' } : {};
        return Response.json(spellGrant(this.format, tokens, this.#user(chain, {}), further), { status, headers });
    }

    #user({ user }: Chain, changes: Record<string, string>): Record<string, unknown> {
        const names = { displayName: null, firstName: null, lastName: null, ...changes };
        return { userId: user, email: user, ...names, emailVerified: false };
    }

    #describe({ sid }: Chain): Record<string, unknown> {
        const times = { createdAt: 1000, lastUsedAt: 2000, expiresAt: 3000 };
        return { sessionId: sid, ...times, ip: '127.0.0.1', userAgent: 'Vitest', lastReplay: null, current: true };
    }

    #refused(event: string): Response {
        if (event === 'refused') this.log.push(event);
        return this.#error(401, 'invalid_grant');
    }

    #error(status: number, code: string): Response {
        const headers = this.retryAfter === null ? {} : { 'retry-after': this.retryAfter };
        return Response.json(spellError(this.format, code), { status, headers });
    }
}
