import js from '@eslint/js';
import { defineConfig, globalIgnores } from 'eslint/config';
import tseslint from 'typescript-eslint';

export default defineConfig(
    globalIgnores(['dist', 'build', 'test-results']),
    js.configs.recommended,
    tseslint.configs.strictTypeChecked,
    tseslint.configs.stylisticTypeChecked,
    {
        languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
        linterOptions: { reportUnusedDisableDirectives: 'error' },
        rules: {
            // `== null` is either of `null` and `undefined`, and nothing else.
            eqeqeq: ['error', 'always', { null: 'ignore' }],
            // A method that implements an asynchronous interface need not wait for anything.
            '@typescript-eslint/require-await': 'off',
        },
    },
    {
        // TypeScript knows the globals of each place better.
        rules: { 'no-undef': 'off' },
    },
    {
        // The checker follows casts in comments, the linter does not.
        files: ['**/*.js'],
        rules: { '@typescript-eslint/no-unsafe-assignment': 'off' },
    },
    {
        files: ['src/**'],
        rules: { 'max-lines': ['error', { max: 250, skipBlankLines: true, skipComments: true }] },
    },
    {
        files: ['test/**', 'e2e/**'],
        rules: {
            '@typescript-eslint/no-non-null-assertion': 'off',
            // Playwright reads from the pattern which fixtures a fixture needs.
            'no-empty-pattern': ['error', { allowObjectPatternsAsParameters: true }],
        },
    },
);
