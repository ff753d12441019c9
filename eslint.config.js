import js from '@eslint/js'
import prettier from 'eslint-config-prettier'
import vue from 'eslint-plugin-vue'
import globals from 'globals'
import tseslint from 'typescript-eslint'
import { functionSize } from './tests/lint/function-size.js'
import { tableOwners } from './tests/lint/table-owners.ts'

/** Pure code decides; it takes the time and chance as inputs and touches nothing outside. */
const PURE = ['protocol/src/**/*.ts', 'backend/src/domain/**/*.ts', 'agent/src/core/**/*.ts']

const impureGlobals = ['setTimeout', 'setInterval', 'setImmediate', 'process', 'performance', 'fetch'].map(
  (name) => ({
    name,
    message: 'Pure code: pass what you need in.',
  }),
)

/** What no file does. A block that adds to them names these too: a later block replaces the options of an earlier one. */
const SYNTAX = [
  { selector: 'TSEnumDeclaration', message: 'Use a union of literals.' },
  { selector: 'Decorator', message: 'No decorators.' },
]
const DEFAULT_EXPORT = { selector: 'ExportDefaultDeclaration', message: 'Export by name.' }
const PURE_SYNTAX = {
  selector: "NewExpression[callee.name='Date'][arguments.length=0]",
  message: 'Pure code: take nowMs.',
}
const ENVIRONMENT = {
  selector: "MemberExpression[object.name='process'][property.name='env']",
  message: 'Only the start of a process reads its environment.',
}

/** Who starts a process, and reads its environment. */
const STARTS_A_PROCESS = [
  'backend/src/server.ts',
  'backend/src/{cli,setup}/**/*.ts',
  'backend/src/**/*-process.ts',
  'backend/src/testing/**/*.ts',
  'agent/src/main.ts',
  'agent/build/{main,deb}.ts',
  'tests/**/*.ts',
  '**/*.test.ts',
  '**/*.config.ts',
  '**/*.js',
  '**/*.mjs',
]

export default tseslint.config(
  { ignores: ['**/dist/**', '**/node_modules/**', '**/coverage/**', '**/data/**'] },
  js.configs.recommended,
  ...tseslint.configs.strictTypeChecked,
  ...vue.configs['flat/recommended'],
  prettier,
  {
    languageOptions: {
      globals: globals.node,
      parserOptions: {
        projectService: { allowDefaultProject: ['*.js', '*.mjs'] },
        tsconfigRootDir: import.meta.dirname,
        extraFileExtensions: ['.vue'],
      },
    },
    plugins: { escale: { rules: { 'function-size': functionSize, 'table-owners': tableOwners } } },
    linterOptions: { reportUnusedDisableDirectives: 'error' },
    rules: {
      'escale/function-size': ['error', { own: 60, all: 150 }],
      'no-console': 'error',
      'no-restricted-syntax': ['error', ...SYNTAX, DEFAULT_EXPORT, ENVIRONMENT],
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/consistent-type-definitions': ['error', 'interface'],
      '@typescript-eslint/switch-exhaustiveness-check': [
        'error',
        { considerDefaultExhaustiveForUnions: true },
      ],
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true }],
      '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true }],
      '@typescript-eslint/no-unnecessary-type-parameters': 'off',
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
      // Factories make objects of closures: nothing uses `this`.
      '@typescript-eslint/unbound-method': 'off',
      // The types of `ws` are what its sockets are; there is no other class to meet.
      '@typescript-eslint/no-unsafe-class-instance-assignment': 'off',
      // A Fastify plugin or hook is async by its contract, whether or not it waits for anything.
      '@typescript-eslint/require-await': 'off',
    },
  },
  {
    files: ['**/*.vue'],
    languageOptions: { parserOptions: { parser: tseslint.parser }, globals: globals.browser },
    // An optional prop's type already says that it may be missing.
    rules: { 'vue/multi-word-component-names': 'off', 'vue/require-default-prop': 'off' },
  },
  {
    files: STARTS_A_PROCESS,
    rules: { 'no-restricted-syntax': ['error', ...SYNTAX, DEFAULT_EXPORT] },
  },
  {
    // The tools that read these want a default export.
    files: ['**/*.js', '**/*.mjs', '**/*.config.ts', '**/*.d.ts'],
    rules: { 'no-restricted-syntax': ['error', ...SYNTAX], 'no-console': 'off' },
  },
  { files: ['**/*.js', '**/*.mjs'], extends: [tseslint.configs.disableTypeChecked] },
  {
    // The agent's binary runs without WebAssembly, and `fetch` needs it.
    files: ['agent/src/**/*.ts'],
    ignores: ['**/*.test.ts', 'agent/src/testing/**'],
    rules: {
      'no-restricted-globals': [
        'error',
        { name: 'fetch', message: 'Use node:http: the binary has no WebAssembly.' },
        { name: 'WebAssembly', message: 'The binary runs with --jitless.' },
      ],
    },
  },
  {
    files: PURE,
    ignores: ['**/*.test.ts'],
    rules: {
      'no-restricted-globals': ['error', ...impureGlobals],
      'no-restricted-properties': [
        'error',
        { object: 'Date', property: 'now', message: 'Pure code: take nowMs.' },
        { object: 'Math', property: 'random', message: 'Pure code: take chance as an input.' },
      ],
      'no-restricted-syntax': ['error', ...SYNTAX, DEFAULT_EXPORT, ENVIRONMENT, PURE_SYNTAX],
    },
  },
  {
    // Migrations, the list of the server's parts, and tests: long, and read from top to bottom.
    files: [
      'backend/src/app.ts',
      'backend/src/db/migrations/*.ts',
      '**/*.test.ts',
      'tests/**/*.ts',
      'launch.mjs',
    ],
    rules: { 'escale/function-size': 'off' },
  },
  {
    // db/ defines the tables; tests look into all of them.
    files: ['backend/src/**/*.ts'],
    ignores: ['backend/src/{db,testing}/**', '**/*.test.ts'],
    rules: { 'escale/table-owners': 'error' },
  },
  {
    files: ['**/*.test.ts'],
    rules: { '@typescript-eslint/no-non-null-assertion': 'off' },
  },
)
