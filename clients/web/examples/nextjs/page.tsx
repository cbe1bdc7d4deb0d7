import { redirect } from 'next/navigation';

import { serverAuth } from './session';

/** A Server Component: what it renders has the user in it and no token. */
export default async function Page() {
    const auth = await serverAuth({ readOnly: true });
    if ((await auth.session()) === null) redirect('/login');
    const user = await auth.me();
    return <p>Signed in as {user.displayName ?? user.email}</p>;
}
