// @vitest-environment happy-dom
import { act, createElement, type ReactElement } from 'react';
import { createRoot } from 'react-dom/client';
import { renderToString } from 'react-dom/server';
import { beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';

import { createAuth, type Auth } from '../src/index.js';
import { AuthProvider, useAuth, type UseAuth } from '../src/react.js';
import { BASE, FakeService } from './support/service.js';

const ADA = { email: 'ada@example.com', password: 'Lantern-Quartz-Meadow' };

let service: FakeService;
let auth: Auth;
let seen: UseAuth[];

beforeEach(() => {
    vi.stubGlobal('IS_REACT_ACT_ENVIRONMENT', true);
    localStorage.clear();
    service = new FakeService();
    auth = createAuth({ baseUrl: BASE, fetch: service.browser(), storage: 'localStorage' });
    seen = [];
});

function Greeting(): ReactElement {
    const state = useAuth();
    seen.push(state);
    return createElement('p', null, `${state.status} ${state.user?.email ?? 'nobody'}`);
}

const application = () => createElement(AuthProvider, { auth }, createElement(Greeting));

async function render(): Promise<HTMLElement> {
    const place = document.createElement('div');
    const root = createRoot(place);
    onTestFinished(() => {
        act(() => {
            root.unmount();
        });
        auth.close();
    });
    await act(async () => {
        root.render(application());
    });
    return place;
}

describe('useAuth', () => {
    it('begins with what is not known yet, then says whether anybody is signed in', async () => {
        const place = await render();
        expect(seen[0]?.status).toBe('unknown');
        expect(place.textContent).toBe('signed-out nobody');
    });

    it('follows a login, a change of names and a logout', async () => {
        const place = await render();
        await act(() => auth.login(ADA));
        expect(place.textContent).toBe('signed-in ada@example.com');
        await act(() => auth.updateMe({ displayName: 'Ada' }));
        expect(seen.at(-1)?.user?.displayName).toBe('Ada');
        await act(() => auth.logout());
        expect(place.textContent).toBe('signed-out nobody');
        expect(seen.at(-1)?.reason).toBe('signed-out');
    });

    it('finds the session of the page before', async () => {
        await auth.login(ADA);
        auth.close();
        auth = createAuth({ baseUrl: BASE, fetch: service.browser(), storage: 'localStorage' });
        expect((await render()).textContent).toBe('signed-in ada@example.com');
    });

    it('says why the service ended the session', async () => {
        const place = await render();
        await act(() => auth.login(ADA));
        service.endAll();
        await act(() => auth.renew().catch(() => null));
        expect(place.textContent).toBe('signed-out nobody');
        expect(seen.at(-1)?.error?.code).toBe('session_ended');
    });

    it('signs in, up and out by its own functions', async () => {
        const place = await render();
        const { login, logout, signup, fetch } = seen.at(-1)!;
        await act(() => signup(ADA));
        expect(place.textContent).toBe('signed-in ada@example.com');
        await act(() => logout());
        expect(place.textContent).toBe('signed-out nobody');
        await act(() => login(ADA));
        expect((await fetch(`${BASE}/orders`)).status).toBe(200);
        const last = seen.at(-1)!;
        // Compiled by `npm run check`: the status tells that there is a user.
        if (last.status === 'signed-in') expect(last.user.email).toBe(last.session.user.email);
        expect([last.login, last.logout]).toEqual([login, logout]);
    });

    it.each([
        ['the machine is online', () => window.dispatchEvent(new Event('online'))],
        ['the page is visible', () => document.dispatchEvent(new Event('visibilitychange'))],
        ['a while has passed', () => undefined],
    ])(
        'says why nothing is known, and looks again when %s',
        async (_, wake) => {
            auth.close();
            service.delivery = 'cookie';
            const jar = service.browser();
            const former = createAuth({ baseUrl: BASE, fetch: jar, delivery: 'cookie' });
            await former.login(ADA);
            former.close();
            localStorage.clear();
            let isAway = true;
            auth = createAuth({
                baseUrl: BASE,
                delivery: 'cookie',
                fetch: (input, init) => (isAway ? Promise.reject(new TypeError('network')) : jar(input, init)),
            });
            const place = await render();
            await act(() =>
                vi.waitFor(() => {
                    expect(auth.state.error?.code).toBe('network_error');
                }, 5000),
            );
            expect(seen.at(-1)?.error?.code).toBe('network_error');
            expect(place.textContent).toBe('unknown nobody');
            isAway = false;
            await act(async () => {
                wake();
                await vi.waitFor(() => {
                    expect(auth.state.status).toBe('signed-in');
                }, 9000);
            });
            expect(place.textContent).toBe('signed-in ada@example.com');
            expect(seen.at(-1)?.error).toBeNull();
        },
        20_000,
    );

    it('gives the same object, and renders nothing again, until something changes', async () => {
        await render();
        await act(() => auth.login(ADA));
        const renderings = seen.length;
        await act(async () => {
            await auth.fetch(`${BASE}/orders`);
            await auth.session();
        });
        expect(seen).toHaveLength(renderings);
    });

    it('renders on a server as long as nothing is known', () => {
        expect(renderToString(application())).toBe('<p>unknown nobody</p>');
        expect(service.requests).toHaveLength(0);
    });

    it('outside of a provider is an error that says so', () => {
        expect(() => renderToString(createElement(Greeting))).toThrow('AuthProvider');
    });
});
