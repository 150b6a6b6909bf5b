import eslint from '@eslint/js';
import tseslint from 'typescript-eslint';

export default tseslint.config(
  { ignores: ['pkg/', 'target/', '.tools/', '.work/', '**/node_modules/', 'sample/media/', 'www/core*/'] },
  eslint.configs.recommended,
  {
    files: ['**/*.ts'],
    extends: [...tseslint.configs.strictTypeChecked, ...tseslint.configs.stylisticTypeChecked],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true }],
      '@typescript-eslint/switch-exhaustiveness-check': [
        'error',
        { considerDefaultExhaustiveForUnions: true },
      ],
      'no-restricted-syntax': [
        'error',
        { selector: 'ExportDefaultDeclaration', message: 'Name what you export.' },
      ],
    },
  },
  {
    // node's runner collects the promises of describe() and test() itself.
    files: ['**/*.test.ts'],
    rules: { '@typescript-eslint/no-floating-promises': 'off' },
  },
  {
    files: ['**/*.js', '**/*.mjs'],
    languageOptions: {
      globals: Object.fromEntries(
        [
          'AbortController',
          'AbortSignal',
          'BroadcastChannel',
          'Buffer',
          'crypto',
          'clearInterval',
          'clearTimeout',
          'console',
          'document',
          'fetch',
          'globalThis',
          'location',
          'performance',
          'process',
          'setInterval',
          'setTimeout',
          'TextDecoder',
          'TextEncoder',
          'URL',
          'WebAssembly',
          'WebSocket',
          'Worker',
          'window',
        ].map((name) => [name, 'readonly']),
      ),
    },
  },
  {
    files: ['bench/pages/*.mjs'],
    languageOptions: { globals: { File: 'readonly', RTCPeerConnection: 'readonly' } },
  },
  {
    files: ['tests/browser/viewer/*.mjs'],
    languageOptions: { globals: { RTCPeerConnection: 'readonly' } },
  },
  {
    // Classic scripts: a worker's, and what it has in common with a page.
    files: ['bench/pages/*.js', 'tests/browser/viewer/*.js'],
    languageOptions: {
      sourceType: 'script',
      globals: {
        importScripts: 'readonly',
        RTCDataChannel: 'readonly',
        self: 'readonly',
        skewClock: 'readonly',
      },
    },
  },
  { files: ['sim/src/report/*.js'], languageOptions: { sourceType: 'script' } },
);
