/** Prints what each entry of the package adds to a page, minified and compressed, and fails above its limit. */
import { build } from 'esbuild';
import { gzipSync } from 'node:zlib';

/** Bytes, gzipped. An entry's own share: what it shares with the first is counted there. */
const LIMITS = { index: 11_500, react: 1000, axios: 1500, server: 11_200 };

let failed = false;
for (const [entry, limit] of Object.entries(LIMITS)) {
    const { outputFiles } = await build({
        entryPoints: [`dist/${entry}.js`],
        bundle: true,
        minify: true,
        format: 'esm',
        external: ['react', 'axios'],
        write: false,
    });
    const bytes = outputFiles.reduce((sum, file) => sum + gzipSync(file.contents, { level: 9 }).length, 0);
    console.log(`${entry.padEnd(6)} ${String(bytes).padStart(6)} bytes gzipped, at most ${String(limit)}`);
    failed ||= bytes > limit;
}
process.exitCode = failed ? 1 : 0;
