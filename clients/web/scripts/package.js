/**
 * Packs what was built and checks the package as those see it who install it: by publint, by "Are the types wrong?", and
 * by loading every entry from a project of its own, in each way that there is.
 */
import { execFileSync } from 'node:child_process';
import {
    existsSync,
    mkdirSync,
    mkdtempSync,
    readdirSync,
    readFileSync,
    rmSync,
    symlinkSync,
    writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

const ENTRIES = ['', '/react', '/axios', '/server'];
const root = process.cwd();
const project = mkdtempSync(join(tmpdir(), 'latchkey-client-'));

/**
 * @param {string[]} command
 * @param {string} [cwd]
 */
function run([program = '', ...options], cwd = root) {
    execFileSync(program, options, { cwd, stdio: ['ignore', 'inherit', 'inherit'] });
}

/** @param {string} name */
const bin = (name) => resolve(root, 'node_modules/.bin', name);

try {
    run(['npm', 'pack', '--silent', '--ignore-scripts', '--pack-destination', project]);
    const [file = ''] = readdirSync(project);
    const archive = join(project, file);
    run([bin('publint'), 'run', archive, '--strict']);
    run([bin('attw'), archive, '--no-emoji', '--no-definitely-typed']);

    const installed = join(project, 'node_modules/@latchkey/client');
    mkdirSync(installed, { recursive: true });
    run(['tar', '-xzf', archive, '-C', installed, '--strip-components', '1']);
    for (const dependency of ['axios', 'react', '@types']) {
        symlinkSync(join(root, 'node_modules', dependency), join(project, 'node_modules', dependency));
    }
    for (const licence of ['LICENSE-MIT', 'LICENSE-APACHE']) {
        if (!existsSync(join(installed, licence))) throw new Error(`${licence} is not in the package`);
    }
    checkMaps(join(installed, 'dist'));

    const names = ENTRIES.map((entry) => `@latchkey/client${entry}`);
    const [required, imported] = [join(project, 'required.cjs'), join(project, 'imported.mjs')];
    const each = "if (Object.keys(entry).length === 0) throw new Error('an entry exports nothing');";
    writeFileSync(
        required,
        names.map((name) => `{ const entry = require('${name}'); ${each} }`).join('\n') +
            `\nconst { AuthError } = require('@latchkey/client');
            if (require('@latchkey/client/package.json').name !== '@latchkey/client') throw new Error('no manifest');
            import('@latchkey/client').then((other) => {
                const error = new other.AuthError('signed_out', '');
                if (!(error instanceof AuthError)) throw new Error('two kinds of AuthError');
            });`,
    );
    writeFileSync(imported, names.map((name) => `{ const entry = await import('${name}'); ${each} }`).join('\n'));
    run([process.execPath, required]);
    run([process.execPath, imported]);
    checkFolders(installed);
    checkTypes();
    console.log('the package is as it should be');
} finally {
    rmSync(project, { recursive: true, force: true });
}

/**
 * Every file has a map with its source in it.
 *
 * @param {string} folder
 */
function checkMaps(folder) {
    for (const name of readdirSync(folder, { recursive: true, encoding: 'utf8' })) {
        if (!name.endsWith('.js')) continue;
        const map = /** @type {{ sourcesContent?: string[] }} */ (
            JSON.parse(readFileSync(join(folder, `${name}.map`), 'utf8'))
        );
        if (!map.sourcesContent?.[0]) throw new Error(`${name} has no source map`);
    }
}

/**
 * As resolvers that read no `exports` do: a subpath is a folder, whose `main` counts.
 *
 * @param {string} installed
 */
function checkFolders(installed) {
    for (const entry of ENTRIES) {
        const folder = join(installed, entry);
        const { main, module, types } = /** @type {Record<string, string>} */ (
            JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))
        );
        for (const path of [main, module, types]) {
            if (!existsSync(join(folder, path ?? ''))) throw new Error(`${entry}/${String(path)} is missing`);
        }
        run([process.execPath, '-e', `require(${JSON.stringify(join(folder, main ?? ''))})`]);
    }
}

/** Types for every resolution of TypeScript, with `skipLibCheck` off. */
function checkTypes() {
    writeFileSync(
        join(project, 'consumer.ts'),
        `import { createAuth, AuthError, type AuthState } from '@latchkey/client';
        import { attach } from '@latchkey/client/axios';
        import { useAuth } from '@latchkey/client/react';
        import { createServerAuth } from '@latchkey/client/server';
        const auth = createAuth({ baseUrl: 'https://api.example.com' });
        const name = (state: AuthState): string | null => (state.status === 'signed-in' ? state.session.user.email : null);
        export { attach, auth, AuthError, createServerAuth, name, useAuth };\n`,
    );
    for (const [module, moduleResolution] of [
        ['commonjs', 'node10'],
        ['node16', 'node16'],
        ['nodenext', 'nodenext'],
        ['esnext', 'bundler'],
    ]) {
        const options = ['--noEmit', '--strict', '--target', 'es2022', '--lib', 'es2022,dom'];
        const old = moduleResolution === 'node10' ? ['--ignoreDeprecations', '6.0', '--skipLibCheck'] : [];
        const resolution = ['--module', String(module), '--moduleResolution', String(moduleResolution)];
        run([bin('tsc'), ...options, ...old, ...resolution, 'consumer.ts'], project);
    }
}
