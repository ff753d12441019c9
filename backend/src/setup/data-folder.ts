import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { drawSecret } from '../crypto/secrets.ts'
import { makeFolder } from './folder.ts'
import { SetupError } from '../errors.ts'
import { reasonOfFile } from './file-reasons.ts'
import { createFile, replaceFile } from './small-files.ts'

/** A file that exists during a first start: if that start is interrupted, the next one goes on with it. */
const UNFINISHED = 'first-start'
/** What was hashed, encrypted or signed before cannot be used without these. The file of the site key is only a copy. */
const NEEDED_KEYS = ['token', 'code'] as const

export type DataFolder = ReturnType<typeof openDataFolder>

/** What the folder's contents are compared with. */
export interface Intentions {
  wantedSiteKey?: string
  /** Whether the database holds a site already. */
  hasSite: boolean
  /** Keys without a site in the database are no mistake. */
  isNewSite?: boolean
  /** Missing keys may be replaced by new ones. */
  isNewKeys?: boolean
}

/**
 * Opens the data folder, and makes what is missing in it. Only the server's user can read the keys.
 * @throws SetupError when keys and database do not belong together: what was lost is not replaced
 */
export function openDataFolder(dir: string, intentions: Intentions) {
  const { wantedSiteKey, hasSite, isNewSite = false, isNewKeys = false } = intentions
  const path = resolve(dir)
  const keys = join(path, 'keys')
  const unfinished = join(path, UNFINISHED)
  const missing = NEEDED_KEYS.filter((name) => !existsSync(join(keys, name)))
  const hasKeys = missing.length < NEEDED_KEYS.length
  if (!existsSync(unfinished)) {
    if (hasSite && missing.length > 0 && !isNewKeys) throw lostKeys(keys, missing)
    if (!hasSite && hasKeys && !isNewSite) throw lostDatabase(path)
  }
  makeFolder(keys)
  if (!hasSite) writeFileSync(unfinished, '')
  const siteFile = join(keys, 'site')
  const key = (name: string) => Buffer.from(readOrMake(join(keys, name), drawSecret), 'base64url')
  return {
    path,
    /** Signs access tokens. */
    tokenKey: key('token'),
    /** The key of the hashes of access codes. */
    codeKey: key('code'),
    /** What a station shows to ask for an identity. */
    siteKey: readOrMake(siteFile, () => wantedSiteKey || drawSecret()),
    /** Writes another site key to the copy in the folder. */
    keepSiteKey: (key: string): void => {
      if (readFileSync(siteFile, 'utf8').trim() !== key) replaceFile(siteFile, `${key}\n`)
    },
    /** To be called once the database holds the site. */
    settle: () => rmSync(unfinished, { force: true }),
  }
}

export const databaseFileOf = (dir: string) => join(resolve(dir), 'escale.sqlite')

/** The key that signs access tokens; undefined where none was drawn yet. */
export function readTokenKey(dir: string): Buffer | undefined {
  const file = join(resolve(dir), 'keys', 'token')
  return existsSync(file) ? Buffer.from(readFileSync(file, 'utf8').trim(), 'base64url') : undefined
}

function lostKeys(keys: string, missing: readonly string[]): SetupError {
  const names = missing.map((name) => join(keys, name)).join(', ')
  return new SetupError(
    `Une clé manque à côté de la base de données (${names})\u00a0: remettez-la depuis votre sauvegarde (npm run restore). ` +
      'Si elle est perdue, «\u202fnpm start -- --new-keys\u202f» en tire une autre\u00a0: les codes donnés et les connexions ouvertes ne vaudront plus rien.',
    `A key is missing beside the database (${names}): put it back from your backup (npm run restore). ` +
      'If it is lost, “npm start -- --new-keys” draws another: codes that were given and open sign-ins will be void.',
  )
}

function lostDatabase(path: string): SetupError {
  return new SetupError(
    `La base de données manque ou est vide, alors que le dossier ${path} a déjà servi\u00a0: remettez-la depuis votre sauvegarde (npm run restore), ou vérifiez ESCALE_DATA_DIR et DATABASE_URL. ` +
      'Pour commencer un nouveau site sans elle\u00a0: npm start -- --new-site.',
    `The database is missing or empty, although the folder ${path} has been in use: put it back from your backup (npm run restore), or check ESCALE_DATA_DIR and DATABASE_URL. ` +
      'To begin a new site without it: npm start -- --new-site.',
  )
}

/**
 * The text of a file, which is made at the first call, even when two servers start at once or one is interrupted.
 * @throws SetupError when it is empty, for instance after a power cut: anybody could sign with an empty key
 */
function readOrMake(file: string, make: () => string): string {
  try {
    if (!existsSync(file)) createFile(file, `${make()}\n`)
    const text = readFileSync(file, 'utf8').trim()
    if (text !== '') return text
  } catch (err) {
    const { french, english } = reasonOfFile(err)
    throw new SetupError(
      `${file} ne peut être lu ou créé\u00a0: ${french}. Donnez le dossier de données à l’utilisateur du serveur (chown -R).`,
      `${file} cannot be read or made: ${english}. Give the data folder to the server’s user (chown -R).`,
      err,
    )
  }
  throw new SetupError(
    `${file} est vide\u00a0: remettez-y votre sauvegarde. S’il est perdu, supprimez-le, puis «\u202fnpm start -- --new-keys\u202f» tire une autre clé.`,
    `${file} is empty: put your backup there. If it is lost, remove it, then “npm start -- --new-keys” draws another key.`,
  )
}
