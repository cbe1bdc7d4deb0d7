import { redirect } from 'next/navigation';

import { AuthError } from '@latchkey/client';
import type { ServerAuth } from '@latchkey/client/server';

import { serverAuth } from './session';

/** A Server Component: what it renders has the user in it and no token. */
export default async function Page() {
    const auth = await serverAuth({ readOnly: true });
    if ((await auth.session()) === null) redirect('/login');
    const user = await me(auth);
    return <p>Signed in as {user.displayName ?? user.email}</p>;
}

/** A session that has ended elsewhere is still in the cookie, which only an action can change: the next login does. */
async function me(auth: ServerAuth) {
    try {
        return await auth.me();
    } catch (error) {
        const ended = error instanceof AuthError && ['session_ended', 'signed_out'].includes(error.code);
        if (ended) redirect('/login');
        throw error;
    }
}
