import { throwIfAborted } from './abort.js';
import { inTurn, type Core } from './core.js';
import type { CallOptions } from './auth.js';
import { AuthError } from './errors.js';
import type { Grant } from './formats.js';
import { isServer } from './page.js';
import { namedBy, sessionOf } from './renewer.js';
import { freshRenewal, type Entry, type Session } from './session.js';

/** Signs a user in: a signup or a login. */
export async function signIn(
    core: Core,
    path: '/auth/signup' | '/auth/login',
    credentials: { email: string },
    { signal }: CallOptions,
): Promise<Session> {
    refuseOnServer(core);
    const { store, service } = core;
    const { email } = credentials;
    const cookies = store.kind === 'cookie';
    const ask = async () => {
        const deviceToken = path === '/auth/login' && !cookies ? await store.device(email) : null;
        const body = deviceToken === null ? credentials : { ...credentials, deviceToken };
        const askedAt = Date.now();
        return { grant: await service.grant(path, { body, cookies, signal }), askedAt };
    };
    const keep = async ({ grant, askedAt }: Awaited<ReturnType<typeof ask>>) => {
        throwIfAborted(signal);
        return await begin(core, grant, askedAt, email);
    };
    // A refresh under way would set the former session's cookie again, after the answer to this.
    if (cookies) return await inTurn(core, signal, async () => await keep(await ask()));
    const answer = await ask();
    return await inTurn(core, signal, () => keep(answer));
}

/** Stores the session of an answer, under the lock. `replaced`: the id of the one that the service has ended for it. */
export async function begin(
    { settings, store, delivered }: Core,
    grant: Grant,
    askedAt: number,
    email: string,
    replaced: string | null = null,
): Promise<Session> {
    await delivered(grant);
    store.keepDevice(email, grant.deviceToken);
    const session = sessionOf(grant, askedAt);
    const entry = { session, renewal: freshRenewal(settings.randomKey()) };
    await store.put(entry, replaced === null ? 'signed-in' : 'renewed', replaced);
    return session;
}

/** Signs out: here and in the other tabs at once, then at the service. */
export async function signOut({ store, service, lock }: Core, { signal }: CallOptions): Promise<void> {
    const unreadable: unknown[] = [];
    const entry = await store.read().catch((error: unknown): Entry | null => {
        unreadable.push(error);
        const { session } = store.state;
        return session && { session, renewal: freshRenewal('') };
    });
    const cookies = store.kind === 'cookie';
    if (entry === null && !(cookies && unreadable.length > 0)) {
        // What could not be taken away the last time is still there.
        await store.end(null, 'signed-out');
        // It may have held tokens, of which the service cannot be told.
        if (unreadable.length > 0) throw unreadable[0];
        return;
    }
    const session = entry?.session ?? null;
    const body = session?.refreshToken == null ? undefined : { refreshToken: session.refreshToken };
    // The key tells a token whose successor was lost from one that a thief has used.
    const { idempotencyKey = '' } = entry?.renewal ?? {};
    const key: Record<string, string> = idempotencyKey === '' ? {} : { 'idempotency-key': idempotencyKey };
    const headers = { ...namedBy(session), ...key };
    const tell = () => service.post('/auth/logout', { body, headers, cookies, keepalive: true, signal });
    const finish = async () => {
        await tell();
        await store.forget();
    };
    try {
        await store.end(session, 'signed-out');
    } finally {
        // A refresh under way would set the cookie again.
        await (cookies ? lock.run(finish) : tell());
    }
}

/** A storage of a browser would be one session for all visitors of a server, and a memory of its own no less. */
function refuseOnServer({ settings: { storage } }: Core): void {
    if (!isServer() || typeof storage !== 'string' || storage === 'memory') return;
    const message = `On a server, ${storage} would be one session for all visitors: use createServerAuth.`;
    throw new AuthError('storage_failed', message);
}
