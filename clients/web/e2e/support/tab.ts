import type { Page, BrowserContext } from '@playwright/test';

import type { Auth, AuthOptions } from '../../src/index.js';

export const ADA = { email: 'ada@example.com', password: 'Lantern-Quartz-Meadow' };

/** What a change was: see `page/page.js`. */
export interface Change {
    reason: string | null;
    elsewhere: boolean;
    code?: string;
}

declare global {
    interface Window {
        auth: Auth;
        changes: Change[];
    }
}

/** A tab with a client. */
export class Tab {
    readonly page: Page;
    readonly #url: string;

    private constructor(page: Page, url: string) {
        this.page = page;
        this.#url = url;
    }

    static async open(context: BrowserContext, url: string, options: Partial<AuthOptions> = {}): Promise<Tab> {
        const tab = new Tab(await context.newPage(), `${url}/#${encodeURIComponent(JSON.stringify(options))}`);
        await tab.page.goto(tab.#url);
        await tab.#ready();
        return tab;
    }

    async reload(): Promise<void> {
        await this.page.reload();
        await this.#ready();
    }

    signUp(): Promise<unknown> {
        return this.page.evaluate((ada) => window.auth.signup(ada), ADA);
    }

    /** The status of a request to a protected route, or the code of the error in place of an answer. */
    request(): Promise<number | string> {
        return this.page.evaluate(() =>
            window.auth.fetch('/auth/me').then(
                (response) => response.status,
                (error: unknown) => (error as { code?: string }).code ?? String(error),
            ),
        );
    }

    /** Requests four times a second, for so many seconds: what each came to. */
    work(seconds: number): Promise<(number | string)[]> {
        return this.page.evaluate(async (seconds) => {
            const outcomes: (number | string)[] = [];
            for (const end = Date.now() + seconds * 1000; Date.now() < end;) {
                const request = window.auth.fetch('/auth/me');
                outcomes.push(await request.then((response) => response.status, String));
                await new Promise((resolve) => setTimeout(resolve, 250));
            }
            return outcomes;
        }, seconds);
    }

    status(): Promise<string> {
        return this.page.evaluate(async () => {
            await window.auth.session();
            return window.auth.state.status;
        });
    }

    changes(): Promise<Change[]> {
        return this.page.evaluate(() => window.changes);
    }

    refreshToken(): Promise<string> {
        return this.page.evaluate(() => window.auth.state.session?.refreshToken ?? '');
    }

    async #ready(): Promise<void> {
        await this.page.waitForFunction(() => 'auth' in window);
    }
}
