import { defineConfig } from '@playwright/test';

export default defineConfig({
    testDir: 'e2e',
    testMatch: '*.spec.ts',
    // Each test has a service of its own. Two browsers at a time leave a machine with two cores some air.
    fullyParallel: true,
    workers: 2,
    timeout: 60_000,
    forbidOnly: true,
    // A test that passes at the second try has found something.
    retries: 0,
    reporter: [['list']],
    use: {
        browserName: 'chromium',
        launchOptions: {
            executablePath: process.env['CHROMIUM'] ?? '/usr/bin/chromium',
            // Containers have no user namespaces for the sandbox and a small /dev/shm.
            args: ['--no-sandbox', '--disable-dev-shm-usage'],
        },
        trace: 'retain-on-failure',
    },
});
