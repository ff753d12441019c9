import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { openDataFolder } from './data-folder.ts'

let dir: string
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'escale-data-'))
})
afterEach(() => rmSync(dir, { recursive: true }))

/** A folder after a complete first start. */
const begun = () => openDataFolder(dir, { hasSite: false }).settle()

describe('the keys of a data folder', () => {
  it('are generated once, readable only by the server, and leave no temporary file behind', () => {
    const first = openDataFolder(dir, { hasSite: false })
    const again = openDataFolder(dir, { hasSite: true, wantedSiteKey: 'another' })
    expect([again.tokenKey, again.codeKey, again.siteKey]).toEqual([
      first.tokenKey,
      first.codeKey,
      first.siteKey,
    ])
    expect(first.tokenKey).toHaveLength(32)
    const keys = join(dir, 'keys')
    expect(readdirSync(keys).toSorted()).toEqual(['code', 'site', 'token'])
    expect(statSync(join(keys, 'token')).mode & 0o777).toBe(0o600)
  })

  it('must not be empty: the start is refused with advice', () => {
    begun()
    writeFileSync(join(dir, 'keys', 'token'), '')
    expect(() => openDataFolder(dir, { hasSite: true })).toThrow(/token est vide.*\n.*token is empty/)
  })

  it.each(['code', 'token'])(
    'are not generated again beside a database, unless that is requested: %s',
    (name) => {
      begun()
      const file = join(dir, 'keys', name)
      rmSync(file)
      expect(() => openDataFolder(dir, { hasSite: true })).toThrow(new RegExp(`clé manque.*keys/${name}`))
      expect(existsSync(file)).toBe(false)
      openDataFolder(dir, { hasSite: true, isNewKeys: true })
      expect(readFileSync(file, 'utf8').trim()).toHaveLength(43)
    },
  )

  it('are written again without a question if they are a copy: the site key', () => {
    begun()
    rmSync(join(dir, 'keys', 'site'))
    expect(openDataFolder(dir, { hasSite: true }).siteKey).toHaveLength(43)
  })

  it('are not generated for an empty site in place of a lost one, unless that is requested', () => {
    begun()
    expect(() => openDataFolder(dir, { hasSite: false })).toThrow(/manque ou est vide.*\n.*missing or empty/)
    openDataFolder(dir, { hasSite: false, isNewSite: true }).settle()
    expect(() => openDataFolder(dir, { hasSite: false })).toThrow(/--new-site/)
  })

  it('of an interrupted first start are used by the next one', () => {
    const { codeKey } = openDataFolder(dir, { hasSite: false })
    rmSync(join(dir, 'keys', 'token'))
    expect(openDataFolder(dir, { hasSite: false }).codeKey).toEqual(codeKey)
    openDataFolder(dir, { hasSite: true }).settle()
    expect(readdirSync(dir)).toEqual(['keys'])
  })
})

describe('a data folder that cannot be created', () => {
  const refused = (path: string) => () => openDataFolder(path, { hasSite: false })

  it('is refused at once if a file has its name', () => {
    writeFileSync(join(dir, 'file'), '')
    expect(refused(join(dir, 'file'))).toThrow(/un fichier est là.*\n.*a file stands/)
    expect(refused(join(dir, 'file', 'below'))).toThrow(/ne peut être créé/)
  })

  it.skipIf(process.platform !== 'linux')('is refused at once below /proc', () => {
    expect(refused('/proc/x/y')).toThrow(/il n’existe pas et ne peut y être créé.*\n.*cannot be made there/)
  })

  it('is refused if its name is too long', () => {
    expect(refused(join(dir, 'x'.repeat(300)))).toThrow(/son nom est trop long/)
  })
})
