import { expect, test } from './support/test.js';
import { ADA, Tab } from './support/tab.js';

test('a base of another origin gets neither a token nor a password', async ({ browser, start }) => {
    const service = await start({});
    // The service's pages forbid such a base by their content security policy.
    const context = await browser.newContext({ bypassCSP: true });
    const evil = 'http://evil.example';
    const sent: Record<string, string>[] = [];
    await context.route(`${evil}/**`, async (route) => {
        sent.push({ path: new URL(route.request().url()).pathname, ...(await route.request().allHeaders()) });
        await route.fulfill({ json: {}, headers: { 'access-control-allow-origin': '*' } });
    });
    const tab = await Tab.open(context, service.url, { baseUrl: '/' });
    await tab.page.evaluate((href) => {
        document.head.append(Object.assign(document.createElement('base'), { href }));
    }, `${evil}/`);
    await tab.signUp();
    await tab.page.evaluate(async () => {
        await window.auth.fetch('orders');
        const frame = document.body.appendChild(document.createElement('iframe'));
        const { Request } = frame.contentWindow as typeof globalThis.window & typeof globalThis;
        await window.auth.fetch(new Request('http://evil.example/of-a-frame'));
    });
    expect(sent.map(({ path }) => path)).toEqual(['/orders', '/of-a-frame']);
    expect(sent.filter((headers) => 'authorization' in headers)).toEqual([]);
    expect(await tab.page.evaluate(async () => (await window.auth.me()).email)).toBe(ADA.email);
});

test('a logout in one tab signs the others out', async ({ context, start }) => {
    const service = await start({});
    const [one, two, three] = [
        await Tab.open(context, service.url),
        await Tab.open(context, service.url),
        await Tab.open(context, service.url),
    ];
    await one.signUp();
    for (const tab of [two, three]) await expect.poll(() => tab.status()).toBe('signed-in');
    await one.page.evaluate(() => window.auth.logout());
    for (const tab of [two, three]) {
        const told = { reason: 'signed-out', elsewhere: true };
        await expect.poll(async () => (await tab.changes()).at(-1)).toEqual(told);
        expect(await tab.request()).toBe(401);
    }
    expect(service.count('logout')).toBe(1);
    expect(await one.page.evaluate(() => localStorage.length)).toBe(0);
});

test('revoke-all signs out every tab and every other browser of the user', async ({ browser, context, start }) => {
    const service = await start({});
    const [here, too] = [await Tab.open(context, service.url), await Tab.open(context, service.url)];
    await here.signUp();
    const elsewhere = await Tab.open(await browser.newContext(), service.url);
    await elsewhere.page.evaluate((ada) => window.auth.login(ada), ADA);
    expect(await here.page.evaluate(() => window.auth.revokeAll())).toBe(2);
    await expect.poll(() => too.status()).toBe('signed-out');
    expect(await elsewhere.request()).toBe('session_ended');
});

test('a token that is stolen and used elsewhere signs out both, with a reason, in every tab', async ({
    context,
    request,
    start,
}) => {
    const service = await start({ ACCESS_TOKEN_EXPIRY: '4s', REFRESH_GRACE: '1s' });
    const [owner, too] = [await Tab.open(context, service.url), await Tab.open(context, service.url)];
    await owner.signUp();
    await expect.poll(() => too.status()).toBe('signed-in');
    const refresh = (refreshToken: string) =>
        request.post(`${service.url}/auth/refresh`, { data: { refreshToken } });
    const stolen = await refresh(await owner.refreshToken());
    expect(stolen.status()).toBe(200);
    const { accessToken, refreshToken } = (await stolen.json()) as { accessToken: string; refreshToken: string };
    await owner.page.waitForTimeout(4200);
    expect(await owner.request()).toBe('session_ended');
    const ended = { reason: 'session-ended', code: 'session_ended' };
    expect((await owner.changes()).at(-1)).toEqual({ ...ended, elsewhere: false });
    await expect.poll(async () => (await too.changes()).at(-1)).toEqual({ ...ended, elsewhere: true });
    expect((await refresh(refreshToken)).status()).toBe(401);
    const me = await request.get(`${service.url}/auth/me`, {
        headers: { authorization: `Bearer ${accessToken}` },
    });
    expect(me.status()).toBe(401);
    expect(service.count('refresh_token_reused')).toBe(1);
});

test('a session that is ended from another browser is over at the next request, and says so', async ({
    browser,
    context,
    start,
}) => {
    const service = await start({});
    const here = await Tab.open(context, service.url);
    await here.signUp();
    const elsewhere = await Tab.open(await browser.newContext(), service.url);
    await elsewhere.page.evaluate(async (ada) => {
        await window.auth.login(ada);
        const other = (await window.auth.sessions()).find(({ current }) => !current);
        await window.auth.endSession(other?.sessionId ?? '');
    }, ADA);
    expect(await here.request()).toBe('session_ended');
    expect(await elsewhere.request()).toBe(200);
});

test('a duplicated tab with a copy of sessionStorage does not look like a thief', async ({ context, start }) => {
    const service = await start({ ACCESS_TOKEN_EXPIRY: '2s', REFRESH_GRACE: '1s' });
    const first = await Tab.open(context, service.url, { storage: 'sessionStorage' });
    await first.signUp();
    // As "Duplicate tab" does it: a page that is opened by another one begins with a copy.
    const opened = context.waitForEvent('page');
    await first.page.evaluate(() => void window.open(location.href, '_blank', 'opener'));
    const second = await opened;
    await second.waitForFunction(() => 'auth' in window);
    for (let expiry = 0; expiry < 3; expiry += 1) {
        await first.page.waitForTimeout(2300);
        expect(await first.request()).toBe(200);
    }
    const status = await second.evaluate(async () => (await window.auth.fetch('/auth/me')).status);
    expect(status).toBe(200);
    expect(service.count('refresh_token_reused')).toBe(0);
});
