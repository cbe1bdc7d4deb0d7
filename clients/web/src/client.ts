import { unlessAborted } from './abort.js';
import { changePassword, endSession, listSessions, readMe, revokeAll, updateMe } from './account.js';
import type { Auth } from './auth.js';
import { coreOf, type Parts } from './core.js';
import { AuthError } from './errors.js';
import { authorizedFetch } from './fetch.js';
import { keepLooking } from './restore.js';
import type { Session } from './session.js';
import { signIn, signOut } from './signin.js';

/**
 * Puts a client together. Its methods are functions of their own, so that they work when they are taken out of it, and
 * through a proxy around it, as Vue makes one.
 */
export function clientOf(parts: Parts): Auth {
    const core = coreOf(parts);
    const { settings, store, renewer, bearer } = core;
    const look = async (): Promise<Session | null> => {
        const entry = await store.read();
        if (entry === null) return null;
        if (entry.session === null) await bearer.token();
        else if (entry.renewal.unanswered) renewer.renew(entry.session.token).catch(() => null);
        return store.state.session;
    };
    const stop = parts.inBackground ? keepLooking(store, renewer, look) : () => undefined;
    store.onLogin = () => void renewer.renew(null).catch(() => null);
    const auth: Omit<Auth, 'state'> = {
        fetch: authorizedFetch(bearer, settings.fetch),
        bearer,
        signup: (signup, options = {}) => signIn(core, '/auth/signup', signup, options),
        login: (credentials, options = {}) => signIn(core, '/auth/login', credentials, options),
        logout: (options = {}) => signOut(core, options),
        revokeAll: (options = {}) => revokeAll(core, options),
        me: (options = {}) => readMe(core, options),
        updateMe: (names, options = {}) => updateMe(core, names, options),
        changePassword: (passwords, options = {}) => changePassword(core, passwords, options),
        sessions: (options = {}) => listSessions(core, options),
        endSession: (sessionId, options = {}) => endSession(core, sessionId, options),
        session: ({ signal } = {}) => unlessAborted(look(), signal),
        renew: async ({ signal } = {}) => {
            const renewing = store.read().then((entry) => renewer.renew(entry?.session?.token ?? null));
            return await unlessAborted(renewing, signal);
        },
        getAccessToken: async ({ signal } = {}) => {
            const token = await unlessAborted(bearer.token(), signal);
            if (token === null) throw new AuthError('signed_out', 'Nobody is signed in.');
            return token;
        },
        onChange: (listener) => store.listen(listener),
        close: () => {
            stop();
            store.close();
        },
    };
    // Not enumerable: a store of the application's that is serialised with the client in it shows no token.
    return Object.defineProperty(auth, 'state', { get: () => store.state }) as Auth;
}
