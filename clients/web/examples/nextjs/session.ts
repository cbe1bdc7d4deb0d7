import { getIronSession } from 'iron-session';
import { cookies, headers } from 'next/headers';

import { createServerAuth, type ServerAuth } from '@latchkey/client/server';

/** What is in the encrypted cookie. */
interface Sealed {
    latchkey?: string;
}

/**
 * The client for the request that is being answered. A Server Component cannot set cookies, so it passes `readOnly`;
 * Server Actions and Route Handlers do not. The visitor's address is in a header that the platform sets and visitors
 * cannot: `x-real-ip` at Vercel and by usual configurations of nginx. Name another one in `CLIENT_ADDRESS_HEADER`.
 */
export async function serverAuth({ readOnly = false } = {}): Promise<ServerAuth> {
    const session = await getIronSession<Sealed>(await cookies(), {
        cookieName: 'session',
        password: process.env['SESSION_SECRET'] ?? '',
        // As long as a session of the service can last.
        ttl: 90 * 24 * 60 * 60,
    });
    const asked = await headers();
    return createServerAuth({
        baseUrl: process.env['API_URL'] ?? '',
        readOnly,
        // Without it all visitors share the rate limits of this server.
        visitor: {
            secret: process.env['TRUSTED_PROXY_SECRET'],
            address: asked.get(process.env['CLIENT_ADDRESS_HEADER'] ?? 'x-real-ip'),
            userAgent: asked.get('user-agent'),
        },
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
