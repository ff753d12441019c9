import type { ICruiseOptions, IForbiddenRuleType } from 'dependency-cruiser'

/** Which files may import which, types included. tests/lint/structure.test.ts breaks each rule on purpose. */

const BACKEND = '^backend/src/'
const FEATURES = '^backend/src/features/'
/** Tests and their helpers may import anything. */
const TESTS = '(\\.test\\.ts$|/testing[/.]|^tests/)'

/** Code without side effects: it may import only its own folder and the allowed paths. */
const pure = (name: string, folder: string, allowed: string[]): IForbiddenRuleType => ({
  name,
  comment: 'Pure code has no side effects: it imports no clock, no file, no network and no database.',
  severity: 'error',
  from: { path: folder, pathNot: TESTS },
  to: { pathNot: [folder, ...allowed] },
})

/** Which other packages of the project a package may import. */
const packageMayImport = (name: string, others: string[]): IForbiddenRuleType => ({
  name: `packages-${name}`,
  comment: `${name}/ may import ${others.join(', ')}; a package is imported by its name.`,
  severity: 'error',
  from: { path: `^${name}/`, pathNot: TESTS },
  to: {
    path: '^(protocol|broker|backend|agent|admin|tests)/',
    pathNot: [`^${name}/`, ...others.map((other) => `^${other}/`)],
  },
})

export const forbidden: IForbiddenRuleType[] = [
  {
    name: 'no-cycles',
    comment: 'Two files must not import each other: join them, or move the shared part to a third file.',
    severity: 'error',
    from: {},
    to: { circular: true },
  },
  {
    name: 'no-unknown-modules',
    comment: 'The file or package does not exist, or no package.json names it.',
    severity: 'error',
    from: { pathNot: '\\.vue$' },
    to: { couldNotResolve: true },
  },
  pure('pure-protocol', '^protocol/src/', ['(^|/)typebox(/|$)']),
  pure('pure-domain', '^backend/src/domain/', ['^protocol/src/', '(^|/)temporal-polyfill(/|$)']),
  pure('pure-core', '^agent/src/core/', ['^protocol/src/']),
  packageMayImport('broker', ['protocol']),
  packageMayImport('agent', ['protocol']),
  packageMayImport('admin', ['protocol']),
  packageMayImport('backend', ['protocol', 'broker']),
  {
    name: 'features-by-index',
    comment: 'A feature is used through its index.ts.',
    severity: 'error',
    from: { path: BACKEND, pathNot: [TESTS, FEATURES] },
    to: { path: `${FEATURES}[^/]+/`, pathNot: `${FEATURES}[^/]+/index\\.ts$` },
  },
  {
    name: 'features-by-index-of-each-other',
    comment: 'A feature uses another through its index.ts.',
    severity: 'error',
    from: { path: `${FEATURES}([^/]+)/`, pathNot: TESTS },
    to: { path: `${FEATURES}[^/]+/`, pathNot: [`${FEATURES}$1/`, `${FEATURES}[^/]+/index\\.ts$`] },
  },
  {
    name: 'features-stand-below',
    comment: 'Features import no gateways, no commands and nothing of the start of the process.',
    severity: 'error',
    from: { path: FEATURES, pathNot: TESTS },
    to: { path: `${BACKEND}(gateways|cli|setup|app\\.ts|server\\.ts)` },
  },
  {
    name: 'gateways-for-the-app-alone',
    comment: 'Only app.ts wires the gateways.',
    severity: 'error',
    from: { path: BACKEND, pathNot: [TESTS, `${BACKEND}gateways/`, `${BACKEND}app\\.ts$`] },
    to: { path: `${BACKEND}gateways/` },
  },
  {
    name: 'http-knows-no-feature',
    comment: 'http/ imports no feature: it declares what it needs as a port.',
    severity: 'error',
    from: { path: `${BACKEND}http/`, pathNot: TESTS },
    to: { path: `${BACKEND}(features|gateways|cli|setup)/` },
  },
  {
    name: 'http-for-endpoints-alone',
    comment: 'Services and repositories do not import http/.',
    severity: 'error',
    from: {
      path: BACKEND,
      pathNot: [
        TESTS,
        `${BACKEND}(http|setup|doctor)/`,
        `${BACKEND}(app|server)\\.ts$`,
        `${FEATURES}feature\\.ts$`,
        '/(endpoints|index)\\.ts$',
        `${BACKEND}gateways/`,
      ],
    },
    to: { path: `${BACKEND}http/` },
  },
  {
    name: 'db-stands-lowest',
    comment: 'db/ does not import the code that uses it.',
    severity: 'error',
    from: { path: `${BACKEND}db/`, pathNot: TESTS },
    to: { path: BACKEND, pathNot: `${BACKEND}(db|domain)/|${BACKEND}(clock|errors|release|timing)\\.ts$` },
  },
  {
    name: 'database-in-repositories',
    comment: 'Only repositories and db/ import the database library.',
    severity: 'error',
    from: { path: BACKEND, pathNot: [TESTS, `${BACKEND}db/`, 'repository\\.ts$'] },
    to: { path: '(^|/)node_modules/(sequelize|sqlite3|umzug|pg)/' },
  },
  {
    name: 'repositories-for-their-own-feature',
    comment: 'Only the feature that owns a table reads and writes it.',
    severity: 'error',
    from: { path: '^backend/src/((?:features|gateways)/[^/]+)/', pathNot: TESTS },
    to: { path: 'repository\\.ts$', pathNot: '^backend/src/$1/' },
  },
  {
    name: 'endpoints-ask-services',
    comment: 'Endpoints call services; only services call repositories.',
    severity: 'error',
    from: { path: '/endpoints\\.ts$' },
    to: { path: 'repository\\.ts$', dependencyTypesNot: ['type-only'] },
  },
  {
    name: 'migrations-are-frozen',
    comment: 'A released migration never changes, so it imports no code that changes.',
    severity: 'error',
    from: { path: `${BACKEND}db/migrations/\\d` },
    to: { path: '^(backend|protocol|broker)/', pathNot: `${BACKEND}db/migrations/(?!index)` },
  },
  {
    name: 'no-tests-in-the-product',
    comment: 'The product imports no test code.',
    severity: 'error',
    from: { path: '^(protocol|broker|backend|agent|admin)/', pathNot: TESTS },
    to: { path: TESTS },
  },
]

export const options: ICruiseOptions = {
  tsPreCompilationDeps: true,
  tsConfig: { fileName: 'tsconfig.json' },
  doNotFollow: { path: 'node_modules' },
  exclude: { path: '/dist/' },
  enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'node', 'default'] },
}
