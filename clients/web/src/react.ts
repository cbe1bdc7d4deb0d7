'use client';

/**
 * React: `<AuthProvider auth={createAuth(…)}>` around the application, `useAuth()` inside.
 *
 * @packageDocumentation
 */
import {
    createContext,
    createElement,
    useContext,
    useEffect,
    useMemo,
    useSyncExternalStore,
    type ReactElement,
    type ReactNode,
} from 'react';

import type { Auth } from './auth.js';
import type { User } from './session.js';
import { UNKNOWN, type SignedInState, type SignedOutState, type UnknownState } from './state.js';

const Context = createContext<Auth | null>(null);

/** What {@link AuthProvider} takes. */
export interface AuthProviderProps {
    /** The client: made once, outside of components. */
    auth: Auth;
    children?: ReactNode;
}

/** Gives everything inside it the client, and reads the session when it appears. */
export function AuthProvider({ auth, children }: AuthProviderProps): ReactElement {
    useEffect(() => {
        // If the service or the storage does not answer, the state says so, and the client looks again by itself.
        auth.session().catch(() => null);
    }, [auth]);
    return createElement(Context.Provider, { value: auth }, children);
}

/** The client, and its calls that components use most. */
export interface AuthCalls extends Pick<Auth, 'login' | 'logout' | 'signup' | 'fetch'> {
    readonly auth: Auth;
}

/** The state of the session, told apart by `status`, with the user, and the client to change it with. */
export type UseAuth = AuthCalls &
    ((SignedInState & { readonly user: User }) | ((SignedOutState | UnknownState) & { readonly user: null }));

/** The session, and the client. The component is rendered again with each change, whichever tab made it. */
export function useAuth(): UseAuth {
    const auth = useContext(Context);
    if (auth === null) throw new Error('useAuth is used outside of an AuthProvider');
    const [subscribe, read] = useMemo(
        () => [(changed: () => void) => auth.onChange(changed), () => auth.state] as const,
        [auth],
    );
    // On a server, and while the browser takes over from it, nothing is known.
    const state = useSyncExternalStore(subscribe, read, () => UNKNOWN);
    return useMemo(() => {
        const { login, logout, signup, fetch } = auth;
        const calls = { auth, login, logout, signup, fetch };
        if (state.status === 'signed-in') return { ...state, ...calls, user: state.session.user };
        return { ...state, ...calls, user: null };
    }, [auth, state]);
}
