import js from '@eslint/js'
import prettier from 'eslint-config-prettier'
import { createTypeScriptImportResolver } from 'eslint-import-resolver-typescript'
import importX from 'eslint-plugin-import-x'
import vue from 'eslint-plugin-vue'
import globals from 'globals'
import tseslint from 'typescript-eslint'

/** Pure code decides; it takes the time and chance as inputs and touches nothing outside. */
const PURE = ['protocol/src/**/*.ts', 'backend/src/domain/**/*.ts', 'agent/src/core/**/*.ts']

const impureGlobals = ['setTimeout', 'setInterval', 'setImmediate', 'process', 'performance', 'fetch'].map(
  (name) => ({
    name,
    message: 'Pure code: pass what you need in.',
  }),
)

const onlyRepositoriesKnowSequelize = {
  group: ['sequelize', 'sqlite3'],
  message: 'Only repository.ts and db/ know the database.',
}

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
    plugins: { 'import-x': importX },
    settings: { 'import-x/resolver-next': [createTypeScriptImportResolver()] },
    linterOptions: { reportUnusedDisableDirectives: 'error' },
    rules: {
      'import-x/no-cycle': 'error',
      'import-x/no-self-import': 'error',
      'import-x/no-default-export': 'error',
      'no-console': 'error',
      'no-restricted-syntax': [
        'error',
        { selector: 'TSEnumDeclaration', message: 'Use a union of literals.' },
        { selector: 'Decorator', message: 'No decorators.' },
      ],
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
    files: ['**/*.js', '**/*.mjs', '**/vite.config.ts', 'vitest.config.ts'],
    rules: { 'import-x/no-default-export': 'off', 'no-console': 'off' },
  },
  { files: ['**/*.js', '**/*.mjs'], extends: [tseslint.configs.disableTypeChecked] },
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
      'no-restricted-syntax': [
        'error',
        {
          selector: "NewExpression[callee.name='Date'][arguments.length=0]",
          message: 'Pure code: take nowMs.',
        },
      ],
      '@typescript-eslint/no-restricted-imports': [
        'error',
        { patterns: [{ regex: '^node:', message: 'Pure code.' }] },
      ],
    },
  },
  {
    files: ['backend/src/**/*.ts'],
    ignores: ['backend/src/db/**', 'backend/src/**/*repository.ts', 'backend/src/**/*.test.ts'],
    rules: {
      '@typescript-eslint/no-restricted-imports': ['error', { patterns: [onlyRepositoriesKnowSequelize] }],
    },
  },
  {
    files: ['backend/src/db/migrations/*.ts'],
    ignores: ['backend/src/db/migrations/index.ts', '**/*.test.ts'],
    rules: {
      '@typescript-eslint/no-restricted-imports': [
        'error',
        {
          patterns: [
            {
              regex: '^(?!\\./|sequelize$|pino$)',
              message: 'A step that has landed is frozen: it copies what it needs of code that may change.',
            },
          ],
        },
      ],
    },
  },
  {
    files: ['backend/src/domain/**/*.ts'],
    ignores: ['**/*.test.ts'],
    rules: {
      '@typescript-eslint/no-restricted-imports': [
        'error',
        {
          patterns: [
            {
              regex: '^(?!\\./|@escale/protocol$|temporal-polyfill$)',
              message: 'domain/ knows protocol/ and calendars only.',
            },
          ],
        },
      ],
    },
  },
  {
    files: ['**/*.test.ts'],
    rules: { '@typescript-eslint/no-non-null-assertion': 'off' },
  },
)
