import { appendFile, glob, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { fetchBase, hasBase, pinnedBase, type Base } from './bases.ts'
import { TARGETS, type Target } from './targets.ts'

const root = join(import.meta.dirname, '..', '..')
/** The smallest of the packages. */
const target = TARGETS.find(({ name }) => name === 'windows-x64') as Target

let home: string
let base: Base
beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'escale-bases-'))
  base = await pinnedBase(root, target)
})
afterAll(() => rm(home, { recursive: true }))

describe('Node for a target', () => {
  it('is refused if it is not the package that the project pins', async () => {
    const other = { ...base, integrity: 'sha512-of-another-package' }
    await expect(fetchBase(home, target, other, process.env)).rejects.toThrow(
      /n’est pas le paquet[^]*is not the package/,
    )
    expect(await hasBase(home, target, other)).toBe(false)
  })

  it('is used again until its file changes', async () => {
    expect(await hasBase(home, target, base)).toBe(false)
    await fetchBase(home, target, base, process.env)
    expect(await hasBase(home, target, base)).toBe(true)
    for await (const file of glob('**/*.exe', { cwd: join(home, '.pkg-cache') }))
      await appendFile(join(home, '.pkg-cache', file), 'x')
    expect(await hasBase(home, target, base)).toBe(false)
  })

  it('that cannot be downloaded is reported in both languages', async () => {
    const unreachable = { npm_config_registry: 'http://127.0.0.1:9', npm_config_cache: join(home, 'npm') }
    await expect(fetchBase(home, target, base, { ...process.env, ...unreachable })).rejects.toThrow(
      /Vérifiez la connexion[^]*Check the connection/,
    )
  })
})
