import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { cruise, type ICruiseResult } from 'dependency-cruiser'
import { describe, expect, it } from 'vitest'
import { forbidden, options } from './structure-rules.ts'

type Files = Record<string, string>

const importOf = (path: string) => `import { a } from '${path}'\nexport const b = a\n`
const typeOf = (path: string) => `import type { A } from '${path}'\nexport const b: A = 1\n`
const A = 'export const a = 1\nexport type A = number\n'

/** For each rule, some files that break it. */
const broken: Record<string, Files> = {
  'no-cycles': {
    'backend/src/http/one.ts': "import type { Two } from './two.ts'\nexport type One = Two | 1\n",
    'backend/src/http/two.ts': "import type { One } from './one.ts'\nexport type Two = One | 2\n",
  },
  'no-unknown-modules': { 'backend/src/http/one.ts': importOf('./nowhere.ts') },
  'pure-protocol': { 'protocol/src/one.ts': importOf('node:fs') },
  'pure-domain': { 'backend/src/domain/one.ts': typeOf('../clock.ts'), 'backend/src/clock.ts': A },
  'pure-core': { 'agent/src/core/one.ts': importOf('../link.ts'), 'agent/src/link.ts': A },
  'packages-broker': { 'broker/src/one.ts': importOf('../../backend/src/a.ts'), 'backend/src/a.ts': A },
  'packages-agent': { 'agent/src/one.ts': importOf('../../backend/src/a.ts'), 'backend/src/a.ts': A },
  'packages-admin': { 'admin/src/one.ts': importOf('../../backend/src/a.ts'), 'backend/src/a.ts': A },
  'packages-backend': { 'backend/src/one.ts': typeOf('../../agent/src/a.ts'), 'agent/src/a.ts': A },
  'features-by-index': {
    'backend/src/backup/one.ts': importOf('../features/logs/audit.ts'),
    'backend/src/features/logs/audit.ts': A,
  },
  'features-by-index-of-each-other': {
    'backend/src/features/users/one.ts': typeOf('../logs/audit.ts'),
    'backend/src/features/logs/audit.ts': A,
  },
  'features-stand-below': {
    'backend/src/features/users/one.ts': typeOf('../../gateways/live/index.ts'),
    'backend/src/gateways/live/index.ts': A,
  },
  'gateways-for-the-app-alone': {
    'backend/src/peers/one.ts': typeOf('../gateways/live/index.ts'),
    'backend/src/gateways/live/index.ts': A,
  },
  'http-knows-no-feature': {
    'backend/src/http/one.ts': typeOf('../features/users/index.ts'),
    'backend/src/features/users/index.ts': A,
  },
  'http-for-endpoints-alone': {
    'backend/src/features/users/service.ts': typeOf('../../http/page.ts'),
    'backend/src/http/page.ts': A,
  },
  'db-stands-lowest': {
    'backend/src/db/one.ts': typeOf('../setup/environment.ts'),
    'backend/src/setup/environment.ts': A,
  },
  'database-in-repositories': {
    'backend/src/features/users/service.ts': typeOf('sequelize'),
    'node_modules/sequelize/package.json': '{"name":"sequelize","version":"1.0.0","main":"index.js"}',
    'node_modules/sequelize/index.js': 'exports.a = 1',
    'package.json': '{"dependencies":{"sequelize":"1"}}',
  },
  'repositories-for-their-own-feature': {
    'backend/src/features/users/service.ts': typeOf('../logs/repository.ts'),
    'backend/src/features/logs/repository.ts': A,
  },
  'endpoints-ask-services': {
    'backend/src/features/users/endpoints.ts': importOf('./repository.ts'),
    'backend/src/features/users/repository.ts': A,
  },
  'migrations-are-frozen': {
    'backend/src/db/migrations/0001-one.ts': typeOf('../rows.ts'),
    'backend/src/db/rows.ts': A,
  },
  'no-tests-in-the-product': {
    'backend/src/db/one.ts': importOf('../testing/app.ts'),
    'backend/src/testing/app.ts': A,
  },
}

async function rulesBrokenBy(files: Files): Promise<string[]> {
  const root = mkdtempSync(join(tmpdir(), 'escale-structure-'))
  try {
    for (const [path, text] of Object.entries(files)) {
      mkdirSync(dirname(join(root, path)), { recursive: true })
      writeFileSync(join(root, path), text)
    }
    const folders = [...new Set(Object.keys(files).map((path) => path.split('/')[0] ?? ''))]
    const { output } = await cruise(
      folders.filter((name) => !/node_modules|json$/.test(name)),
      {
        ...options,
        baseDir: root,
        tsConfig: {},
        ruleSet: { forbidden: forbidden },
        validate: true,
      },
    )
    return (output as ICruiseResult).summary.violations.map(({ rule }) => rule.name)
  } finally {
    rmSync(root, { recursive: true, force: true })
  }
}

describe('a rule about imports', () => {
  it.each(forbidden.map(({ name = '' }) => name))('finds code that breaks %s', async (name) => {
    const files = broken[name]
    expect(files, 'no files that break it').toBeDefined()
    expect(await rulesBrokenBy(files ?? {})).toContain(name)
  })

  it('accepts code that keeps all rules', async () => {
    const files = {
      'backend/src/app.ts': importOf('./features/users/index.ts'),
      'backend/src/features/users/index.ts': importOf('./service.ts').replace('const b', 'const a = a, b'),
      'backend/src/features/users/service.ts': `${importOf('./repository.ts')}${A}`.replace(
        'const a',
        'const c',
      ),
      'backend/src/features/users/repository.ts': importOf('../../db/rows.ts').replace('const b', 'const c'),
      'backend/src/db/rows.ts': A,
    }
    expect(await rulesBrokenBy(files)).toEqual([])
  })
})
