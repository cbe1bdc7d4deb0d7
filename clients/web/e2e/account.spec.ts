import { expect, test } from './support/test.js';
import { ADA, Tab } from './support/tab.js';

const CHANGE = { currentPassword: ADA.password, newPassword: 'Velvet-Harbour-Thimble' };

for (const delivery of ['body', 'cookie'] as const) {
    test(`a changed password moves every tab to the new session, delivery ${delivery}`, async ({
        context,
        start,
    }) => {
        const settings = { TOKEN_DELIVERY: delivery, ACCESS_TOKEN_EXPIRY: '5s', REFRESH_GRACE: '1s' };
        const service = await start(settings);
        const [here, there] = [
            await Tab.open(context, service.url, { delivery }),
            await Tab.open(context, service.url, { delivery }),
        ];
        await here.signUp();
        await expect.poll(() => there.status()).toBe('signed-in');
        const before = await here.page.evaluate(() => window.auth.state.session?.token);
        expect(await here.page.evaluate((change) => window.auth.changePassword(change), CHANGE)).toBe(0);
        const after = await here.page.evaluate(() => window.auth.state.session?.token);
        expect(after).not.toBe(before);
        await expect.poll(() => there.page.evaluate(() => window.auth.state.session?.token)).toBe(after);
        // Through an expiry of its tokens.
        await here.page.waitForTimeout(5500);
        expect(await Promise.all([here, there].map((tab) => tab.request()))).toEqual([200, 200]);
        expect(
            await here.page.evaluate(
                (old) =>
                    fetch('/auth/me', { headers: { authorization: `Bearer ${String(old)}` } }).then(
                        ({ status }) => status,
                    ),
                before,
            ),
        ).toBe(401);
        for (const tab of [here, there]) expect(await tab.status()).toBe('signed-in');
        expect(service.count('refresh_token_reused')).toBe(0);
    });
}

test('a login that finds out cookie delivery is heard in the other tabs', async ({ context, start }) => {
    const service = await start({ TOKEN_DELIVERY: 'cookie' });
    const [here, there] = [await Tab.open(context, service.url), await Tab.open(context, service.url)];
    expect(await there.status()).toBe('signed-out');
    await here.signUp();
    await expect.poll(() => there.page.evaluate(() => window.auth.state.status)).toBe('signed-in');
    expect(await there.request()).toBe(200);
    expect(service.count('refresh_token_rotated')).toBe(0);
});

test('a redirect of a login is not followed by a browser', async ({ context, start }) => {
    const [service, evil] = [await start({}), await start({})];
    const tab = await Tab.open(context, service.url);
    await tab.page.route('**/auth/login', (route) =>
        route.fulfill({ status: 307, headers: { location: `${evil.url}/auth/login` } }),
    );
    const seen: string[] = [];
    tab.page.on('request', (request) => seen.push(request.url()));
    const code = await tab.page.evaluate(
        (ada) => window.auth.login(ada).then(String, (error: unknown) => (error as { code: string }).code),
        ADA,
    );
    expect(code).toBe('bad_answer');
    expect(seen.filter((url) => url.startsWith(evil.url))).toEqual([]);
});
