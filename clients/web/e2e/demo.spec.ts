import type { Page } from '@playwright/test';

import { expect, test } from './support/test.js';
import { ADA } from './support/tab.js';

/** As `make demo` starts it, but for shorter tokens. */
const DEMO = { ACCESS_TOKEN_EXPIRY: '5s', REFRESH_GRACE: '3s' };

async function enter(page: Page, button: 'Sign in' | 'Sign up'): Promise<void> {
    await page.getByLabel('E-mail address').fill(ADA.email);
    await page.getByLabel('Password', { exact: true }).fill(ADA.password);
    await page.getByRole('button', { name: button, exact: true }).click();
}

/** No error of a script, and nothing that the content security policy forbids. */
function faults(page: Page): string[] {
    const faults: string[] = [];
    page.on('pageerror', (error) => faults.push(error.message));
    page.on('console', (message) => {
        // The browser's own word on a refused request.
        if (message.type() === 'error' && !message.text().includes('status of 4')) faults.push(message.text());
    });
    return faults;
}

test('the demo shows how a user stays signed in', async ({ context, start }) => {
    const service = await start(DEMO, { page: 'demo' });
    const page = await context.newPage();
    await page.setViewportSize({ width: 1100, height: 790 });
    const found = faults(page);
    await page.goto(service.url);
    await enter(page, 'Sign in');
    await expect(page.getByText('The e-mail address or the password is wrong.')).toBeVisible();
    await enter(page, 'Sign up');
    await expect(page.getByText(`Signed in as ${ADA.email}`)).toBeVisible();
    await expect(page.locator('#seconds')).toHaveText(/^[0-4]\.\d$/);

    // Two expiries later: renewed, and no request has failed.
    const generation = async () => Number(await page.locator('#generation').textContent());
    await expect.poll(generation, { timeout: 20_000 }).toBeGreaterThan(1);
    await expect(page.locator('#failures')).toHaveText('0');
    await expect(page.locator('#log')).toContainText('The access token was renewed.');

    await page.getByRole('button', { name: 'Sign in on another device' }).click();
    await page.getByLabel('Your password').fill(ADA.password);
    await page.getByRole('dialog').getByRole('button', { name: 'Sign in' }).click();
    await expect(page.locator('#sessions li')).toHaveCount(2);
    await expect(page.locator('#sessions')).toContainText('127.0.0.1, Chrome, since');
    const screenshot = process.env['SCREENSHOT'];
    if (screenshot !== undefined) await page.screenshot({ path: screenshot });
    await page.locator('#sessions li', { hasNotText: 'This one' }).getByRole('button').click();
    await expect(page.locator('#sessions li')).toHaveCount(1);

    const opened = context.waitForEvent('page');
    await page.getByRole('button', { name: 'Second tab' }).click();
    const second = await opened;
    await expect(second.getByText(`Signed in as ${ADA.email}`)).toBeVisible();
    await second.getByRole('button', { name: 'Sign out', exact: true }).click();
    await expect(page.getByText('You signed out in another tab.')).toBeVisible();
    await expect(page.getByRole('heading', { name: 'Sign in' })).toBeVisible();
    expect(found).toEqual([]);
});

test('the demo shows how a thief is caught', async ({ context, start }) => {
    const service = await start({ ...DEMO, ACCESS_TOKEN_EXPIRY: '60s' }, { page: 'demo' });
    const page = await context.newPage();
    await page.goto(service.url);
    await enter(page, 'Sign up');
    await page.getByRole('button', { name: 'Steal my token' }).click();
    await expect(page.getByText('The thief has the next token.')).toBeVisible();
    // The page waits for the end of the grace.
    const outcome = page.getByRole('alert').filter({ hasText: 'ended the session for both' });
    await expect(outcome).toContainText('401', { timeout: 20_000 });
    await expect(page.getByRole('heading', { name: 'Sign in' })).toBeVisible();
    expect(service.count('refresh_token_reused')).toBe(1);
});

test('the demo can be used by keyboard, and every control has a name', async ({ context, start }) => {
    const service = await start(DEMO, { page: 'demo' });
    const page = await context.newPage();
    await page.goto(service.url);
    await expect(page.getByRole('heading', { name: 'Sign in' })).toBeVisible();
    for (const text of [ADA.email, ADA.password]) {
        await page.keyboard.press('Tab');
        await page.keyboard.type(text);
    }
    await page.keyboard.press('Tab');
    await page.keyboard.press('Tab');
    await page.keyboard.press('Enter');
    await expect(page.getByText(`Signed in as ${ADA.email}`)).toBeVisible();
    await expect(page.locator('#sessions li')).toHaveCount(1);
    const nameless = await page.locator('button, input, [role]').evaluateAll((controls) =>
        controls
            .filter((control) => {
                const labels = (control as HTMLInputElement).labels?.length ?? 0;
                const name = control.getAttribute('aria-label') ?? control.textContent;
                return labels === 0 && name.trim() === '' && control.getAttribute('role') !== 'alert';
            })
            .map((control) => control.outerHTML),
    );
    expect(nameless).toEqual([]);
});
