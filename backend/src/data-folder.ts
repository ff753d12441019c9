import { randomBytes } from 'node:crypto'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'

export interface DataFolder {
  path: string
  databaseFile: string
  /** Signs access tokens. */
  tokenKey: Buffer
  /** Keys the hashes of access codes. */
  codeKey: Buffer
  /** What a station shows to ask for an identity. */
  siteKey: string
}

/** Opens the data folder; what is missing in it is made, its keys readable by the server alone. */
export function openDataFolder(dir: string, wantedSiteKey: string): DataFolder {
  const path = resolve(dir)
  const keys = join(path, 'keys')
  mkdirSync(keys, { recursive: true, mode: 0o700 })
  const key = (name: string) => Buffer.from(kept(join(keys, name), drawKey), 'base64url')
  return {
    path,
    databaseFile: join(path, 'escale.sqlite'),
    tokenKey: key('token'),
    codeKey: key('code'),
    siteKey: kept(join(keys, 'site'), () => wantedSiteKey || drawKey()),
  }
}

const drawKey = () => randomBytes(32).toString('base64url')

/** The text of a file, made once. */
function kept(file: string, make: () => string): string {
  try {
    writeFileSync(file, `${make()}\n`, { mode: 0o600, flag: 'wx' })
  } catch (err) {
    if ((err as NodeJS.ErrnoException).code !== 'EEXIST') throw err
  }
  return readFileSync(file, 'utf8').trim()
}
