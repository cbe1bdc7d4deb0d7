import { getIronSession } from 'iron-session';
import { cookies } from 'next/headers';

import { createServerAuth, type ServerAuth } from '@latchkey/client/server';

/** What is in the encrypted cookie. */
interface Sealed {
    latchkey?: string;
}

/**
 * The client for the request that is being answered. A Server Component cannot set cookies, so it passes `readOnly`;
 * Server Actions and Route Handlers do not.
 */
export async function serverAuth({ readOnly = false } = {}): Promise<ServerAuth> {
    const session = await getIronSession<Sealed>(await cookies(), {
        cookieName: 'session',
        password: process.env['SESSION_SECRET'] ?? '',
        // As long as a session of the service can last.
        ttl: 90 * 24 * 60 * 60,
    });
    return createServerAuth({
        baseUrl: process.env['API_URL'] ?? '',
        readOnly,
        storage: {
            getItem: () => session.latchkey ?? null,
            setItem: (_, value) => {
                session.latchkey = value;
                return session.save();
            },
            removeItem: () => {
                session.destroy();
            },
        },
    });
}
