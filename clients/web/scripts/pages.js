/** Puts the pages and the built client where `local --demo` serves them: `build/demo`, and `build/e2e` for the tests. */
import { cpSync, rmSync } from 'node:fs';

/** What no page uses: types, and the adapters. */
const UNUSED = /\.d\.ts$|\.map$|dist\/cjs|(react|axios|server)\.js$/;

for (const { from, to } of [
    { from: 'demo', to: 'build/demo' },
    { from: 'e2e/page', to: 'build/e2e' },
]) {
    rmSync(to, { recursive: true, force: true });
    cpSync(from, to, { recursive: true });
    cpSync('dist', `${to}/client`, { recursive: true, filter: (file) => !UNUSED.test(file) });
}
