import { rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { onAnswers } from './support/network.js';
import { expect, test } from './support/test.js';
import { Tab } from './support/tab.js';

const SHORT = { ACCESS_TOKEN_EXPIRY: '2s' };

/** Of each: nothing but successes. */
const all200 = (outcomes: (number | string)[]) => outcomes.filter((outcome) => outcome !== 200);

test('a user stays signed in across many expiries', async ({ context, start }) => {
    const service = await start(SHORT);
    const tab = await Tab.open(context, service.url);
    await tab.signUp();
    expect(all200(await tab.work(12))).toEqual([]);
    // One renewal for each token: in its last fifth.
    expect(service.count('refresh_token_rotated')).toBeGreaterThanOrEqual(5);
    expect(service.count('refresh_token_rotated')).toBeLessThanOrEqual(8);
    expect(service.count('refresh_token_replayed')).toBe(0);
});

test('ten tabs go through an expiry at once, with one rotation for each', async ({ context, start }) => {
    const service = await start({ ACCESS_TOKEN_EXPIRY: '5s' });
    const first = await Tab.open(context, service.url);
    await first.signUp();
    const tabs = [first, ...(await Promise.all(Array.from({ length: 9 }, () => Tab.open(context, service.url))))];
    for (let expiry = 1; expiry <= 3; expiry += 1) {
        await first.page.waitForTimeout(5200);
        const before = service.count('refresh_token_rotated');
        const outcomes = await Promise.all(tabs.map((tab) => tab.request()));
        expect(all200(outcomes)).toEqual([]);
        expect(service.count('refresh_token_rotated') - before).toBe(1);
    }
    const outcomes = await Promise.all(tabs.map((tab) => tab.work(10)));
    expect(all200(outcomes.flat())).toEqual([]);
    expect(service.count('refresh_token_reused')).toBe(0);
    expect(service.count('refresh_token_refused')).toBe(0);
});

test('a reload in the middle of a refresh heals, after the grace too', async ({ context, start }) => {
    const service = await start({ ...SHORT, REFRESH_GRACE: '1s' });
    const tab = await Tab.open(context, service.url);
    await tab.signUp();
    await onAnswers(tab.page, (number) => (number === 0 ? 'never' : 'arrives'));
    void tab.page.evaluate(() => window.auth.renew()).catch(() => null);
    await expect.poll(() => service.count('refresh_token_rotated')).toBe(1);
    await tab.page.waitForTimeout(2500);
    await tab.reload();
    expect(await tab.request()).toBe(200);
    expect(service.count('refresh_token_replayed')).toBe(1);
    expect(all200(await tab.work(4))).toEqual([]);
    expect(service.count('refresh_token_reused')).toBe(0);
});

test('the answer of a refresh is dropped by the network, and asked for again after the grace', async ({
    context,
    start,
}) => {
    const service = await start({ ...SHORT, REFRESH_GRACE: '1s' });
    const tab = await Tab.open(context, service.url);
    await tab.signUp();
    await onAnswers(tab.page, async (number) => {
        if (number >= 2) return 'arrives';
        await tab.page.waitForTimeout(1200);
        return 'broken';
    });
    await tab.page.waitForTimeout(2200);
    expect(await tab.request()).toBe(200);
    expect(service.count('refresh_token_rotated')).toBe(1);
    expect(service.count('refresh_token_replayed')).toBe(2);
    expect(await tab.status()).toBe('signed-in');
});

test('a laptop that sleeps past an expiry wakes up signed in', async ({ context, start }) => {
    const service = await start(SHORT);
    const tab = await Tab.open(context, service.url);
    await tab.signUp();
    const devtools = await context.newCDPSession(tab.page);
    await devtools.send('Page.setWebLifecycleState', { state: 'frozen' });
    await new Promise((resolve) => setTimeout(resolve, 7000));
    await devtools.send('Page.setWebLifecycleState', { state: 'active' });
    expect(await tab.request()).toBe(200);
    expect(service.count('refresh_token_rotated')).toBe(1);
});

test('a service that is down for a while signs nobody out', async ({ context, start }, info) => {
    const file = join(tmpdir(), `latchkey-e2e-${String(process.pid)}-${String(info.workerIndex)}.db`);
    const service = await start(SHORT, { data: ['--data', file] });
    const tab = await Tab.open(context, service.url);
    await tab.signUp();
    await service.stop();
    await tab.page.waitForTimeout(2500);
    expect(['network_error', 'temporarily_unavailable']).toContain(await tab.request());
    expect(await tab.status()).toBe('signed-in');
    await tab.page.waitForTimeout(3000);
    await service.resume();
    await expect.poll(() => tab.request(), { timeout: 35_000, intervals: [500] }).toBe(200);
    expect(await tab.changes()).not.toContainEqual(expect.objectContaining({ reason: 'session-ended' }));
    for (const suffix of ['', '-wal', '-shm', '.lock', '.secrets.json']) rmSync(file + suffix, { force: true });
});

for (const { mode, event, options } of [
    { mode: 'access', event: 'access_token_renewed', options: { margin: 0 } },
    { mode: 'rotate', event: 'refresh_token_rotated', options: { sendRefreshToken: true } },
]) {
    test(`renewal by the authorizer (${mode}) is taken from the answers`, async ({ context, start }) => {
        const service = await start({ ACCESS_TOKEN_EXPIRY: '10s', RENEWAL: mode, RENEWAL_WINDOW: '5s' });
        const tab = await Tab.open(context, service.url, options);
        await tab.signUp();
        let renewals = 0;
        tab.page.on('response', (response) => {
            if ('x-new-access-token' in response.headers()) renewals += 1;
        });
        expect(all200(await tab.work(22))).toEqual([]);
        expect(renewals).toBeGreaterThanOrEqual(2);
        expect(service.count(event)).toBeGreaterThanOrEqual(renewals);
        expect(service.count('refresh_token_replayed')).toBe(0);
        expect(service.count('refresh_token_reused')).toBe(0);
    });
}
