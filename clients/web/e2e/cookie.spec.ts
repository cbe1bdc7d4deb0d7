import type { AuthError } from '../src/index.js';
import { onAnswers } from './support/network.js';
import { expect, test } from './support/test.js';
import { Tab } from './support/tab.js';

const COOKIES = { TOKEN_DELIVERY: 'cookie', ACCESS_TOKEN_EXPIRY: '3s', REFRESH_GRACE: '1s' };

test('with cookie delivery scripts cannot read the refresh token, and the session outlives a reload', async ({
    context,
    start,
}) => {
    const service = await start(COOKIES);
    const tab = await Tab.open(context, service.url, { delivery: 'cookie' });
    const bodies: string[] = [];
    tab.page.on('response', (response) => {
        // A preflight or an answer whose page has gone has no body.
        const body = response.text().catch(() => '');
        if (response.url().includes('/auth/')) void body.then((text) => bodies.push(text));
    });
    await tab.signUp();
    const [cookie] = await context.cookies();
    expect(cookie).toMatchObject({
        name: '__Secure-refresh_token',
        httpOnly: true,
        secure: true,
        sameSite: 'Strict',
    });
    const read = await tab.page.evaluate(() => ({
        cookies: document.cookie,
        storage: JSON.stringify([Object.entries(localStorage), Object.entries(sessionStorage)]),
        session: window.auth.state.session,
    }));
    expect(read.cookies).toBe('');
    expect(read.session?.refreshToken).toBeNull();
    for (const secret of [cookie!.value, read.session!.token, 'ada@example.com'])
        expect(read.storage).not.toContain(secret);
    await tab.reload();
    expect(await tab.status()).toBe('signed-in');
    await tab.page.waitForTimeout(3200);
    expect(await tab.request()).toBe(200);
    const [later] = await context.cookies();
    expect(later!.value).not.toBe(cookie!.value);
    expect(bodies.join()).not.toContain(later!.value);
    expect(bodies.join()).not.toContain(cookie!.value);
});

test('with cookie delivery tabs share the renewals, and a logout', async ({ context, start }) => {
    const service = await start(COOKIES);
    const first = await Tab.open(context, service.url, { delivery: 'cookie' });
    await first.signUp();
    const tabs = [first];
    for (let tab = 0; tab < 4; tab += 1) tabs.push(await Tab.open(context, service.url, { delivery: 'cookie' }));
    for (const tab of tabs) expect(await tab.status()).toBe('signed-in');
    for (let expiry = 0; expiry < 2; expiry += 1) {
        await first.page.waitForTimeout(3200);
        const before = service.count('refresh_token_rotated');
        expect(await Promise.all(tabs.map((tab) => tab.request()))).toEqual(tabs.map(() => 200));
        expect(service.count('refresh_token_rotated') - before).toBe(1);
    }
    await tabs[1]!.page.evaluate(() => window.auth.logout());
    for (const tab of tabs) await expect.poll(() => tab.status()).toBe('signed-out');
    expect(await context.cookies()).toEqual([]);
    await first.reload();
    expect(await first.status()).toBe('signed-out');
    expect(service.count('refresh_token_reused')).toBe(0);
});

test('with cookie delivery a reload in the middle of a refresh heals', async ({ context, start }) => {
    const service = await start(COOKIES);
    const tab = await Tab.open(context, service.url, { delivery: 'cookie' });
    await tab.signUp();
    const old = await context.cookies();
    await onAnswers(tab.page, (number) => (number === 0 ? 'never' : 'arrives'));
    void tab.page.evaluate(() => window.auth.renew()).catch(() => null);
    await expect.poll(() => service.count('refresh_token_rotated')).toBe(1);
    await tab.page.waitForTimeout(2500);
    // Nor does it get to the browser: that has the former cookie.
    await context.clearCookies();
    await context.addCookies(old);
    await tab.reload();
    expect(await tab.request()).toBe(200);
    expect(service.count('refresh_token_replayed')).toBe(1);
});

test('with cookie delivery a rotation by the authorizer is repeated with its key if its answer is lost', async ({
    context,
    start,
}) => {
    const renewal = { RENEWAL: 'rotate', RENEWAL_WINDOW: '10s', ACCESS_TOKEN_EXPIRY: '20s' };
    const service = await start({ ...COOKIES, ...renewal });
    const tab = await Tab.open(context, service.url, { delivery: 'cookie' });
    await tab.signUp();
    const old = await context.cookies();
    await onAnswers(tab.page, (number) => (number === 0 ? 'broken' : 'arrives'), '/auth/me');
    await tab.page.waitForTimeout(10_500);
    expect(await tab.request()).toContain('TypeError');
    await expect.poll(() => service.count('refresh_token_rotated')).toBe(1);
    await tab.page.waitForTimeout(1500);
    await context.clearCookies();
    await context.addCookies(old);
    await tab.page.evaluate(() => window.auth.renew());
    expect(await tab.request()).toBe(200);
    expect(service.count('refresh_token_replayed')).toBe(1);
    expect(service.count('refresh_token_reused')).toBe(0);
});

test('the four response formats are understood', async ({ browser, start }) => {
    for (const RESPONSE_FORMAT of ['camel', 'snake', 'envelope', 'authorization']) {
        const service = await start({ RESPONSE_FORMAT });
        const tab = await Tab.open(await browser.newContext(), service.url);
        await tab.signUp();
        const read = await tab.page.evaluate(async () => {
            const { auth } = window;
            await auth.updateMe({ displayName: 'Ada' });
            await auth.renew();
            const wrong = auth.login({ email: 'ada@example.com', password: 'wrong' });
            const error = await wrong.then(
                () => null,
                (caught: unknown) => {
                    const { code, status, requestId } = caught as AuthError;
                    return { code, status, requestId };
                },
            );
            return { user: await auth.me(), sessions: await auth.sessions(), error };
        });
        expect(read.user).toMatchObject({ email: 'ada@example.com', displayName: 'Ada', firstName: null });
        expect(read.sessions).toMatchObject([{ current: true, ip: '127.0.0.1' }]);
        expect(Math.abs(read.sessions[0]!.createdAt - Date.now())).toBeLessThan(60_000);
        expect(read.error).toMatchObject({ code: 'invalid_credentials', status: 401 });
        expect(read.error!.requestId).toMatch(/\S/);
    }
});
