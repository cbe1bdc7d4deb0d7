import { describe, expect, it } from 'vitest';

import { readError, readGrant, readSessions, readUser } from '../src/formats.js';
import { FORMATS, spellData, spellError, spellGrant } from './support/spelling.js';

const USER = { userId: 'u-1', email: 'ada@example.com', displayName: 'Ada', firstName: null, lastName: null };
const ADA = { ...USER, emailVerified: true };
const TOKENS = { accessToken: 'a.b.c', refreshToken: 'd.e.f', tokenType: 'Bearer', expiresIn: 3600 };

describe.each(FORMATS)('the format %s', (format) => {
    it('has tokens and the user', () => {
        const grant = readGrant(spellGrant(format, TOKENS, ADA));
        expect(grant).toEqual({ token: 'a.b.c', refreshToken: 'd.e.f', expiresIn: 3600, user: ADA });
    });

    it('has no refresh token where that comes in a cookie', () => {
        const { accessToken, tokenType, expiresIn } = TOKENS;
        const grant = readGrant(spellGrant(format, { accessToken, tokenType, expiresIn }, ADA));
        expect(grant?.refreshToken).toBeNull();
    });

    it('has the user alone', () => {
        expect(readUser(spellData(format, { user: ADA }))).toEqual(ADA);
    });

    it('has sessions, whose times become milliseconds', () => {
        const session = {
            sessionId: 's',
            createdAt: 1,
            lastUsedAt: 2,
            expiresAt: 3,
            ip: '::1',
            userAgent: 'x',
            lastReplay: { at: 4, ip: '::2', userAgent: 'y' },
            current: true,
        };
        const [read] = readSessions(spellData(format, { sessions: [session] })) ?? [];
        const times = { createdAt: 1000, lastUsedAt: 2000, expiresAt: 3000 };
        expect(read).toEqual({ ...session, ...times, lastReplay: { ...session.lastReplay, at: 4000 } });
        const [never] = readSessions(spellData(format, { sessions: [{ ...session, lastReplay: null }] })) ?? [];
        expect(never?.lastReplay).toBeNull();
    });

    it('has a device token', () => {
        expect(readGrant(spellGrant(format, { ...TOKENS, deviceToken: 'd' }, ADA))?.deviceToken).toBe('d');
    });

    it('has errors', () => {
        const error = readError(429, new Headers({ 'retry-after': '7' }), spellError(format, 'too_many_attempts'));
        expect(error).toMatchObject({ code: 'too_many_attempts', status: 429, retryAfter: 7, requestId: 'r-1' });
        expect(error.message).toBe('It is refused.');
        expect(error.temporary).toBe(true);
    });
});

describe('what is not the service’s', () => {
    it.each([null, undefined, 'text', 7, [], {}, { data: {} }, { success: true, data: null }, { accessToken: 7 }])(
        'is no tokens: %j',
        (body) => {
            expect(readGrant(body)).toBeNull();
            expect(readUser(body)).toBeNull();
            expect(readSessions(body)).toBeNull();
        },
    );

    it('is an error without its words, which decides nothing', () => {
        const [code, requestId] = ['forbidden', 'r-1'];
        for (const body of [
            ...[undefined, null, '<html>', { message: 'Forbidden' }, { error: {} }, { error: 7 }, { requestId }],
            ...[{ error: code }, { error: code, errorDescription: 'No.' }, { error: { code }, request_id: 7 }],
        ]) {
            expect(readError(403, new Headers(), body)).toMatchObject({
                code: 'bad_answer',
                status: 403,
                temporary: true,
            });
        }
    });

    it('says when to come back as a date, too', () => {
        const date = new Date(Date.now() + 20_000).toUTCString();
        const { retryAfter } = readError(503, new Headers({ 'retry-after': date }), {});
        expect(retryAfter).toBeGreaterThan(17);
        expect(retryAfter).toBeLessThanOrEqual(20);
        for (const [value, seconds] of [
            ['', null],
            ['soon', null],
            ['-5', 0],
            ['Thu, 01 Jan 1970 00:00:00 GMT', 0],
        ]) {
            expect(readError(503, new Headers({ 'retry-after': String(value) }), {}).retryAfter).toBe(seconds);
        }
    });
});
