import { existsSync, globSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { format } from 'prettier'
import { describe, expect, it } from 'vitest'
import { ROOT } from '../support/spawned.ts'
import { contractTables, withTables } from './contract-tables.ts'

const read = (path: string) => readFileSync(join(ROOT, path), 'utf8')

describe('docs/contract.md', () => {
  it('has up-to-date tables (if not, run node tests/docs/write-contract.ts)', async () => {
    const page = read('docs/contract.md')
    const names = [...page.matchAll(/<!-- table: ([\w-]+) -->/g)].map(([, name]) => name)
    expect(names).toEqual(Object.keys(contractTables))
    expect(page).toBe(await format(withTables(page), { parser: 'markdown', printWidth: 110 }))
  })
})

/** Permitted sources of a rule: a page of docs/, an address, an author or a standard. */
const KNOWN_SOURCES =
  /^(docs\/|https?:\/\/|RFC \d|MQTT 3\.1\.1|IEEE \d|ITU-T |XML 1\.0|PostgreSQL|sqlite\.org|[\w.-]+\([1-8]\)|AMD, |Mulberry32|Wagner and|"decorrelated)/

describe('references in comments and pages', () => {
  const sources = globSync('{protocol,broker,backend,agent,admin,tests}/**/*.{ts,vue}', { cwd: ROOT })
    .filter((path) => !path.includes('node_modules') && !path.includes('/dist/'))
    .flatMap((path) =>
      [...read(path).matchAll(/Source:\s+(?:\*\s+)?([^\n]+)/g)].map(([, source = '']) => ({ path, source })),
    )

  it('name an existing page or a published source', () => {
    expect(sources.length).toBeGreaterThan(10)
    const unknown = sources.filter(({ path, source }) => {
      if (path.endsWith('docs.test.ts')) return false
      const page = /^docs\/[\w/.-]+?\.md/.exec(source)?.[0]
      return page === undefined
        ? source.startsWith('docs/') || !KNOWN_SOURCES.test(source)
        : !existsSync(join(ROOT, page))
    })
    expect(unknown).toEqual([])
  })

  it('link only to existing files', () => {
    const broken = globSync('{docs/**/*.md,README.md}', { cwd: ROOT }).flatMap((path) =>
      [...read(path).matchAll(/\]\(([^)#:\s]+)(?:#[^)]*)?\)/g)]
        .map(([, target = '']) => target)
        .filter((target) => !existsSync(join(ROOT, dirname(path), target)))
        .map((target) => `${path}: ${target}`),
    )
    expect(broken).toEqual([])
  })

  it('name only existing paths of the project', () => {
    const missing = globSync('{docs/*.md,README.md}', { cwd: ROOT }).flatMap((path) =>
      [...read(path).matchAll(/`((?:protocol|broker|backend|agent|admin|tests)\/[\w/.-]+)`/g)]
        .map(([, target = '']) => target)
        .filter((target) => !existsSync(join(ROOT, target)) && !target.includes('/dist'))
        .map((target) => `${path}: ${target}`),
    )
    expect(missing).toEqual([])
  })
})
