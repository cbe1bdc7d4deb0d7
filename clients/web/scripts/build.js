/**
 * Compiles `src` file by file: ES modules to `dist`, CommonJS to `dist/cjs`, each with types and source maps. Beside them
 * is what old resolvers need: a folder for each subpath, as React Native before 0.79 and TypeScript's `node10` read no
 * `exports`. The licences are those of the repository.
 */
import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';

/**
 * @param {string} path
 * @param {object} value
 */
function writeJson(path, value) {
    writeFileSync(path, `${JSON.stringify(value, null, 2)}\n`);
}

rmSync('dist', { recursive: true, force: true });
for (const project of ['tsconfig.build.json', 'tsconfig.cjs.json']) {
    execFileSync(process.execPath, ['node_modules/typescript/bin/tsc', '-p', project], { stdio: 'inherit' });
}
writeJson('dist/cjs/package.json', { type: 'commonjs', sideEffects: false });

const manifest = /** @type {{ exports: Record<string, unknown> }} */ (
    JSON.parse(readFileSync('package.json', 'utf8'))
);
for (const subpath of Object.keys(manifest.exports)) {
    const name = subpath.slice('./'.length);
    if (name === '' || name.includes('.')) continue;
    mkdirSync(name, { recursive: true });
    writeJson(`${name}/package.json`, {
        main: `../dist/cjs/${name}.js`,
        module: `../dist/${name}.js`,
        types: `../dist/cjs/${name}.d.ts`,
        sideEffects: false,
    });
}
for (const licence of ['LICENSE-APACHE', 'LICENSE-MIT']) copyFileSync(`../../${licence}`, licence);
