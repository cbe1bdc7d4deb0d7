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
import { UNKNOWN, type AuthState } from './state.js';

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
        // With cookie delivery the service may be away: the status is `unknown` until a later call succeeds.
        auth.session().catch(() => null);
    }, [auth]);
    return createElement(Context.Provider, { value: auth }, children);
}

/** The state of the session, and the client to change it with. */
export interface UseAuth extends AuthState {
    readonly auth: Auth;
    /** Who is signed in. */
    readonly user: User | null;
    /** As `auth.fetch`. */
    readonly fetch: typeof globalThis.fetch;
}

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
    return useMemo(
        () => ({ ...state, auth, user: state.session?.user ?? null, fetch: auth.fetch }),
        [auth, state],
    );
}
