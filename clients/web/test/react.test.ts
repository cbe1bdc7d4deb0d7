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
