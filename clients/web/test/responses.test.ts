import nodeFetch from 'node-fetch';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

import { beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';

import { createAuth, type Auth } from '../src/index.js';
import { createServerAuth } from '../src/server.js';
import { memoryStorage } from '../src/storage.js';
import { Browser } from './support/browser.js';
import { BASE, FakeService } from './support/service.js';
import { jwt } from './support/tokens.js';
import { failureOf, pass, soon } from './support/time.js';

const ADA = { email: 'ada@example.com', password: 'Lantern-Quartz-Meadow' };

type Fetch = typeof globalThis.fetch;

/** Next.js keeps a clone of each answer to a GET, and reads it later: neither half of the tee can be cancelled alone. */
function nextFetch(real: Fetch): Fetch {
    return async (input, init) => {
        const response = await real(input, init);
        const isGet = (init?.method ?? 'GET') === 'GET';
        if (!isGet || response.body === null) return response;
        const [given] = response.body.tee();
        const { status, headers } = response;
        return new Response(given, { status, headers });
    };
}

/** Replaces `body` of each answer. */
function withBody(real: Fetch, body: (response: Response) => unknown): Fetch {
    return async (input, init) => {
        const response = await real(input, init);
        return Object.defineProperty(response, 'body', { value: body(response) });
    };
}

describe('a refused request is repeated', () => {
    let service: FakeService;
    let auth: Auth;

    beforeEach(() => {
        vi.useFakeTimers();
        service = new FakeService();
    });

    async function repeats(fetch: Fetch): Promise<void> {
        const browser = new Browser(service);
        auth = browser.tab({ storage: 'localStorage', fetch });
        await soon(auth.login(ADA));
        await pass(61);
        const key = `latchkey:${BASE}`;
        const entry = JSON.parse(browser.local.getItem(key)!) as object;
        browser.local.setItem(
            key,
            JSON.stringify({ ...entry, expiresAt: Date.now() + 1e9, storedAt: Date.now() }),
        );
        expect((await soon(auth.fetch(`${BASE}/orders`))).status).toBe(200);
        expect(service.count('rotated')).toBe(1);
    }

    it('if the body is one half of a tee, as in the Next.js App Router', async () => {
        await repeats(nextFetch(service.browser()));
    });

    it.each<[string, (response: Response) => unknown]>([
        ['never settles its cancel()', () => ({ cancel: () => new Promise(() => undefined) })],
        ['rejects cancel()', () => ({ cancel: () => Promise.reject(new TypeError('locked')) })],
        ['throws from cancel()', () => ({ cancel: () => raise(new TypeError('locked')) })],
        ['returns no promise from cancel()', () => ({ cancel: () => undefined })],
        ['has no cancel()', () => ({})],
        ['is null', () => null],
        ['is not supported, as in React Native and whatwg-fetch', () => undefined],
    ])('if the body %s', async (_, body) => {
        await repeats(withBody(service.browser(), body));
    });

    it('if the body is locked by a reader of somebody else', async () => {
        const real = service.browser();
        await repeats(async (input, init) => {
            const response = await real(input, init);
            if (response.status === 401) response.body?.getReader();
            return response;
        });
    });

    it('if the body has been read by somebody else', async () => {
        const real = service.browser();
        await repeats(async (input, init) => {
            const response = await real(input, init);
            if (response.status === 401) await response.text();
            return response;
        });
    });

    it('in a Server Component of Next.js, through a fetch that keeps clones', async () => {
        const storage = memoryStorage();
        const options = { baseUrl: BASE, fetch: nextFetch(service.browser()), storage };
        await soon(createServerAuth(options).login(ADA));
        const page = createServerAuth({ ...options, readOnly: true });
        await pass(20);
        expect((await soon(page.fetch(`${BASE}/forbidden`))).status).toBe(403);
        expect((await soon(page.fetch(`${BASE}/never`))).status).toBe(401);
        service.endAll();
        const next = createServerAuth({ ...options, readOnly: true });
        expect(await failureOf(next.me())).toMatchObject({ code: 'session_ended' });
    });
});

describe('node-fetch', () => {
    /** A service that refuses the first request with an answer that fills more than a buffer. */
    async function listen(): Promise<Server> {
        let orders = 0;
        const server = createServer((request, response) => {
            const user = { userId: 'u', email: ADA.email };
            const iat = Math.floor(Date.now() / 1000);
            const token = () => jwt({ sub: 'u', sid: 's', iat, exp: iat + 60, jti: Math.random() });
            const json = (status: number, body: object) => {
                response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
            };
            if (request.url === '/orders' && (orders += 1) === 1) json(401, { page: 'x'.repeat(100_000) });
            else if (request.url === '/orders') json(200, { orders: [] });
            else if (request.url === '/auth/password') json(401, { page: 'x'.repeat(100_000) });
            else
                json(200, {
                    accessToken: token(),
                    refreshToken: jwt({ sid: 's', gen: 1 }),
                    expiresIn: 60,
                    user,
                });
        });
        onTestFinished(() => {
            server.closeAllConnections();
            server.close();
        });
        await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
        return server;
    }

    it('works as the fetch of a client, with bodies that are streams of Node.js', async () => {
        const server = await listen();
        const baseUrl = `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`;
        const auth = createAuth({ baseUrl, fetch: nodeFetch as unknown as Fetch, timeout: 2000 });
        await auth.login(ADA);
        const response = await auth.fetch('/orders');
        expect(response.status).toBe(200);
        expect(await response.json()).toEqual({ orders: [] });
        // The connection of the answer that nobody reads is let go of.
        await vi.waitFor(async () => {
            const open = await new Promise<number>((resolve) => {
                server.getConnections((_, count) => {
                    resolve(count);
                });
            });
            expect(open).toBeLessThanOrEqual(1);
        });
    });

    it('reads an answer of any length to a change of the password', async () => {
        const server = await listen();
        const baseUrl = `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`;
        const auth = createAuth({ baseUrl, fetch: nodeFetch as unknown as Fetch, timeout: 2000 });
        await auth.login(ADA);
        const change = auth.changePassword({ currentPassword: 'a', newPassword: 'b' });
        await expect(change).rejects.toMatchObject({ code: 'bad_answer', status: 401 });
    });
});

function raise(error: Error): never {
    throw error;
}
