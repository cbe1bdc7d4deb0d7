import { defineConfig } from 'vitest/config';

/** Sources in place of the built package, for what imports it by its name. */
const source = (name: string) => new URL(`./src/${name}.ts`, import.meta.url).pathname;

export default defineConfig({
    resolve: {
        alias: [
            { find: /^@latchkey\/client$/, replacement: source('index') },
            { find: /^@latchkey\/client\/(react|axios|server)$/, replacement: source('$1') },
        ],
    },
    // Some tests go through a hundred clients, on a machine that may do other work.
    test: {
        include: ['test/**/*.test.ts'],
        testTimeout: 20_000,
        restoreMocks: true,
        unstubGlobals: true,
        unstubEnvs: true,
    },
});
