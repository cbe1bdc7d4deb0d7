import { describe, expect, it } from 'vitest';

import { claimsOf } from '../src/jwt.js';
import { withRenewed } from '../src/renewed.js';
import { freshRenewal, isNewer, parse, serialise, type Session } from '../src/session.js';
import { jwt } from './support/tokens.js';

const user = {
    userId: 'u',
    email: 'é@example.com',
    displayName: null,
    firstName: null,
    lastName: null,
    emailVerified: false,
};

function session({ sid = 's', gen = 0, exp = 100, storedAt = 0 } = {}): Session {
    const token = jwt({ sub: 'u', sid, iat: exp - 60, exp, name: 'Éva' });
    return { token, refreshToken: jwt({ sid, gen }), expiresAt: 0, user, storedAt };
}

function headers(access: object | string, refresh?: object): Headers {
    const token = typeof access === 'string' ? access : jwt(access);
    const all = new Headers({ 'x-new-token': token, 'x-new-access-token': token });
    if (refresh) all.set('x-new-refresh-token', jwt(refresh));
    return all;
}

describe('the order of sessions', () => {
    it('is that of generations, then of access tokens, then of storing', () => {
        expect(isNewer(session({ gen: 2, exp: 1 }), session({ gen: 1, exp: 9 }))).toBe(true);
        expect(isNewer(session({ gen: 1, exp: 9 }), session({ gen: 2, exp: 1 }))).toBe(false);
        expect(isNewer(session({ exp: 9 }), session({ exp: 8 }))).toBe(true);
        expect(isNewer(session({ storedAt: 2 }), session({ storedAt: 1 }))).toBe(true);
        expect(isNewer(session(), session())).toBe(false);
    });

    it('does not hold between two logins', () => {
        expect(isNewer(session({ sid: 'a', gen: 5 }), session({ sid: 'b', gen: 1 }))).toBe(false);
    });
});

describe('what is stored', () => {
    it('is the session, and its renewals in one member more', () => {
        const entry = { session: session(), renewal: freshRenewal('k') };
        const stored = JSON.parse(serialise(entry)) as object;
        const members = ['token', 'refreshToken', 'expiresAt', 'user', 'storedAt', 'renewal'];
        expect(Object.keys(stored).sort()).toEqual(members.sort());
        expect(parse(serialise(entry))).toEqual(entry);
    });

    it.each(['', 'null', '{', '[]', '"x"', '{"token":1}', '{"token":"a","refreshToken":"b"}', '{"renewal":{}}'])(
        'is nothing if it is something else: %s',
        (text) => {
            expect(parse(text)).toBeNull();
        },
    );
});

describe('a token', () => {
    it('says what is in it, whatever the alphabet of the rest', () => {
        expect(claimsOf(session().token)).toEqual({ sub: 'u', sid: 's', gen: null, iat: 40, exp: 100 });
    });

    it.each([null, undefined, '', 'a', 'a.b', 'a.%%.c', `a.${btoa('7')}.c`, `a.${btoa('null')}.c`])(
        'that is none says nothing: %s',
        (token) => {
            expect(Object.values(claimsOf(token)).every((claim) => claim === null)).toBe(true);
        },
    );
});

describe('renewed tokens in headers', () => {
    const entry = { session: session({ gen: 3, exp: 100 }), renewal: freshRenewal('k-3') };
    const renew = (all: Headers) => withRenewed(entry, all, () => 'k-4');

    it('replace the access token, and keep the key of the refresh token', () => {
        const next = renew(headers({ sid: 's', iat: 100, exp: 160 }));
        expect(claimsOf(next?.session?.token).exp).toBe(160);
        expect(next?.session?.refreshToken).toBe(entry.session.refreshToken);
        expect(next?.renewal).toBe(entry.renewal);
        expect(next!.session!.expiresAt - next!.session!.storedAt).toBe(60_000);
    });

    it('replace the refresh token, which has a new key', () => {
        const next = renew(headers({ sid: 's', iat: 100, exp: 160 }, { sid: 's', gen: 4 }));
        expect(claimsOf(next?.session?.refreshToken).gen).toBe(4);
        expect(next?.renewal).toEqual(freshRenewal('k-4'));
    });

    it.each([
        ['nothing new', new Headers()],
        ['an earlier access token', headers({ sid: 's', iat: 10, exp: 99 })],
        ['the same one', headers({ sid: 's', iat: 40, exp: 100 })],
        ['one of another login', headers({ sid: 'other', iat: 100, exp: 160 })],
        ['one without an end', headers({ sid: 's', iat: 100 })],
        ['nonsense', headers('nonsense')],
    ])('are left alone if they are %s', (_, all) => {
        expect(renew(all)).toBeNull();
    });

    it.each([
        ['an earlier generation', { sid: 's', gen: 2 }],
        ['the same generation', { sid: 's', gen: 3 }],
        ['another session', { sid: 'other', gen: 4 }],
    ])('do not set the refresh token back to %s', (_, refresh) => {
        const next = renew(headers({ sid: 's', iat: 100, exp: 160 }, refresh));
        expect(next?.session?.refreshToken).toBe(entry.session.refreshToken);
        expect(next?.renewal).toBe(entry.renewal);
    });
});
