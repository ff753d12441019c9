import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { openDataFolder } from './data-folder.ts'

let dir: string
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'escale-data-'))
})
afterEach(() => rmSync(dir, { recursive: true }))

describe('the keys of a data folder', () => {
  it('are drawn once, for the server alone, and leave no draft behind', () => {
    const first = openDataFolder(dir, '')
    const again = openDataFolder(dir, 'another')
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

  it('are never empty: the start is refused, and says what to do', () => {
    openDataFolder(dir, '')
    writeFileSync(join(dir, 'keys', 'token'), '')
    expect(() => openDataFolder(dir, '')).toThrow(/token est vide.*token is empty/)
  })
})
