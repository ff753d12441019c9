import { existsSync, globSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { format } from 'prettier'
import { describe, expect, it } from 'vitest'
import { ROOT } from '../support/spawned.ts'
import { contractTables, withTables } from './contract-tables.ts'

const read = (path: string) => readFileSync(join(ROOT, path), 'utf8')

describe('docs/contract.md', () => {
  it('has each table as the programs have it; node tests/docs/write-contract.ts makes them anew', async () => {
    const page = read('docs/contract.md')
    const names = [...page.matchAll(/<!-- table: ([\w-]+) -->/g)].map(([, name]) => name)
    expect(names).toEqual(Object.keys(contractTables))
    expect(page).toBe(await format(withTables(page), { parser: 'markdown', printWidth: 110 }))
  })
})

/** Where a rule comes from: a page of ours, an address, a person or a body that publishes standards. */
const KNOWN_SOURCES =
  /^(docs\/|https?:\/\/|RFC \d|MQTT 3\.1\.1|IEEE \d|ITU-T |XML 1\.0|PostgreSQL|sqlite\.org|proc\(5\)|sd_booted\(3\)|AMD, |Mulberry32|Wagner and|"decorrelated)/

describe('what comments and pages point at', () => {
  const sources = globSync('{protocol,broker,backend,agent,admin,tests}/**/*.{ts,vue}', { cwd: ROOT })
    .filter((path) => !path.includes('node_modules') && !path.includes('/dist/'))
    .flatMap((path) =>
      [...read(path).matchAll(/Source:\s+(?:\*\s+)?([^\n]+)/g)].map(([, source = '']) => ({ path, source })),
    )

  it('each source is a page that exists or a published one', () => {
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

  it('each link of a page leads somewhere', () => {
    const broken = globSync('{docs/**/*.md,README.md}', { cwd: ROOT }).flatMap((path) =>
      [...read(path).matchAll(/\]\(([^)#:\s]+)(?:#[^)]*)?\)/g)]
        .map(([, target = '']) => target)
        .filter((target) => !existsSync(join(ROOT, dirname(path), target)))
        .map((target) => `${path}: ${target}`),
    )
    expect(broken).toEqual([])
  })

  it('each path of our own that a page names exists', () => {
    const missing = globSync('{docs/*.md,README.md}', { cwd: ROOT }).flatMap((path) =>
      [...read(path).matchAll(/`((?:protocol|broker|backend|agent|admin|tests)\/[\w/.-]+)`/g)]
        .map(([, target = '']) => target)
        .filter((target) => !existsSync(join(ROOT, target)) && !target.includes('/dist'))
        .map((target) => `${path}: ${target}`),
    )
    expect(missing).toEqual([])
  })
})
