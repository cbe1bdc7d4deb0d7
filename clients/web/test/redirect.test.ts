import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

import { describe, expect, it, onTestFinished, vi } from 'vitest';

import { createAuth } from '../src/index.js';
import { BASE } from './support/service.js';
import { jwt } from './support/tokens.js';

const ADA = { email: 'ada@example.com', password: 'Lantern-Quartz-Meadow' };

async function listen(
    handle: (path: string) => { status: number; location?: string },
): Promise<[string, string[]]> {
    const seen: string[] = [];
    const server: Server = createServer((request, response) => {
        const path = request.url ?? '';
        seen.push(path);
        const { status, location } = handle(path);
        const iat = Math.floor(Date.now() / 1000);
        const tokens = {
            accessToken: jwt({ sub: 'u', sid: 's', iat, exp: iat + 60, jti: seen.length }),
            refreshToken: jwt({ sid: 's', gen: seen.length }),
            expiresIn: 60,
            user: { userId: 'u', email: ADA.email },
        };
        request.resume().on('end', () => {
            response.writeHead(status, location === undefined ? {} : { location }).end(JSON.stringify(tokens));
        });
    });
    onTestFinished(() => {
        server.closeAllConnections();
        server.close();
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return [`http://127.0.0.1:${String((server.address() as AddressInfo).port)}`, seen];
}

describe.each([301, 302, 303, 307, 308])('a redirect with %d', (status) => {
    it.each(['another origin', 'the same origin'])(
        'of a login, signup or refresh to %s is not followed',
        async (to) => {
            let redirects = false;
            const [evil, received] = await listen(() => ({ status: 200 }));
            const [baseUrl, seen] = await listen((path) => {
                if (!redirects || !path.startsWith('/auth/')) return { status: 200 };
                return { status, location: to === 'another origin' ? `${evil}${path}` : `/elsewhere${path}` };
            });
            const auth = createAuth({ baseUrl });
            await auth.login(ADA);
            redirects = true;
            const { session } = auth.state;
            const refused = { code: 'bad_answer', status, message: expect.stringContaining('redirect') as string };
            await expect(auth.login(ADA)).rejects.toMatchObject(refused);
            await expect(auth.signup(ADA)).rejects.toMatchObject(refused);
            // It decides nothing: the session stays.
            await expect(auth.renew()).rejects.toMatchObject({ temporary: true });
            expect(auth.state.session).toBe(session);
            const change = auth.changePassword({ currentPassword: 'a', newPassword: 'b' });
            await expect(change).rejects.toMatchObject(refused);
            await expect(auth.logout()).rejects.toMatchObject(refused);
            expect(received).toEqual([]);
            expect(seen.filter((path) => path.startsWith('/elsewhere'))).toEqual([]);
        },
        20_000,
    );
});

describe('an answer', () => {
    const answer = (further: object): typeof globalThis.fetch => {
        const iat = Math.floor(Date.now() / 1000);
        const tokens = {
            accessToken: jwt({ sub: 'evil', sid: 's', iat, exp: iat + 60 }),
            refreshToken: jwt({ sid: 's', gen: 1 }),
            expiresIn: 60,
            user: { userId: 'evil', email: ADA.email },
        };
        return async () =>
            Object.defineProperties(Response.json(tokens), Object.getOwnPropertyDescriptors(further));
    };

    it('that a browser has not followed is refused, and says so', async () => {
        const fetch = vi.fn(answer({ type: 'opaqueredirect', status: 0, ok: false }));
        const auth = createAuth({ baseUrl: BASE, fetch });
        await expect(auth.login(ADA)).rejects.toMatchObject({ code: 'bad_answer', status: null });
        expect(fetch.mock.lastCall?.[1]?.redirect).toBe('manual');
    });

    it.each([
        ['https://evil.example/auth/login', false],
        ['https://api.example.com.evil.example/auth/login', false],
        ['http://api.example.com/auth/login', false],
        ['https://api.example.com:8443/auth/login', false],
        [`${BASE}/auth/login`, true],
        ['', true],
    ])('of %s, where fetch follows redirects all the same, is taken: %s', async (url, taken) => {
        const auth = createAuth({ baseUrl: BASE, fetch: answer({ url, redirected: true }) });
        const login = auth.login(ADA);
        if (taken) expect((await login).user.userId).toBe('evil');
        else await expect(login).rejects.toMatchObject({ code: 'bad_answer' });
        expect(auth.state.status).toBe(taken ? 'signed-in' : 'unknown');
    });
});
