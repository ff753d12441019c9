import { randomBytes } from 'node:crypto'
import { existsSync, linkSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { drawSecret } from './features/auth/index.ts'

export interface DataFolder {
  path: string
  databaseFile: string
  /** Signs access tokens. */
  tokenKey: Buffer
  /** Keys the hashes of access codes. */
  codeKey: Buffer
  /** What a station shows to ask for an identity. */
  siteKey: string
  /** Replaces the copy of the site key. */
  keepSiteKey(key: string): void
}

/** Opens the data folder; what is missing in it is made, its keys readable by the server alone. */
export function openDataFolder(dir: string, wantedSiteKey: string): DataFolder {
  const path = resolve(dir)
  const keys = join(path, 'keys')
  mkdirSync(keys, { recursive: true, mode: 0o700 })
  const key = (name: string) => Buffer.from(kept(join(keys, name), drawSecret), 'base64url')
  return {
    path,
    databaseFile: join(path, 'escale.sqlite'),
    tokenKey: key('token'),
    codeKey: key('code'),
    keepSiteKey: (key) => replaceText(join(keys, 'site'), key),
    siteKey: kept(join(keys, 'site'), () => wantedSiteKey || drawSecret()),
  }
}

/**
 * The text of a file, made once and whole, whoever else starts or dies meanwhile.
 * @throws Error when it is empty, as a loss of power may leave it: an empty key would sign for anybody
 */
function kept(file: string, make: () => string): string {
  if (!existsSync(file)) {
    const draft = `${file}.${randomBytes(4).toString('hex')}`
    writeFileSync(draft, `${make()}\n`, { mode: 0o600, flush: true })
    try {
      linkSync(draft, file)
    } catch (err) {
      if ((err as NodeJS.ErrnoException).code !== 'EEXIST') throw err
    } finally {
      rmSync(draft)
    }
  }
  const text = readFileSync(file, 'utf8').trim()
  if (text !== '') return text
  throw new Error(
    `${file} est vide\u00a0: remettez-y votre sauvegarde, ou supprimez-le pour tirer une autre clé. · ` +
      `${file} is empty: put your backup there, or remove it to draw another key.`,
  )
}

/** A reader finds the old text or the new one, never a part. */
function replaceText(file: string, text: string): void {
  if (readFileSync(file, 'utf8').trim() === text) return
  const draft = `${file}.new`
  writeFileSync(draft, `${text}\n`, { mode: 0o600 })
  renameSync(draft, file)
}
