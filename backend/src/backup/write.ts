import {
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { basename, dirname, join, resolve, sep } from 'node:path'
import { fileOf } from '../db/connection.ts'
import { copyDatabase } from '../db/examination.ts'
import type { AuditReport } from '../features/logs/index.ts'
import { RELEASE } from '../release.ts'
import { SetupError } from '../errors.ts'
import { readArchive, writeArchive, type Source } from './archive.ts'
import { checkCopy } from './database-copy.ts'
import { fileFaultOf } from './file-fault.ts'
import { LAST_BACKUP, filesOf } from './folder-contents.ts'
import { DATABASE_NAME, FORMAT, type Manifest } from './manifest.ts'

export interface BackupOptions {
  dataDir: string
  databaseUrl: string
  /** Path of the new backup; no file may be there. */
  file: string
  /** Folders of backups within the data folder, to be left out. */
  without?: readonly string[]
}

export interface BackupReport {
  manifest: Manifest
  bytes: number
  /** The state of the journal's chain; undefined when it was not checked. */
  journal: AuditReport | undefined
}

/**
 * Writes all files of a site into one file, reads it again, and only then gives it its name, so that no incomplete
 * backup has it. A server may run meanwhile.
 * @throws SetupError when it cannot be made; its files are removed then
 */
export async function writeBackup(options: BackupOptions): Promise<BackupReport> {
  const { file } = options
  requirePlace(options)
  try {
    removeDraft(file)
    return await write(options)
  } catch (err) {
    throw failed(file, err)
  } finally {
    removeDraft(file)
  }
}

async function write({ dataDir, databaseUrl, file, without = [] }: BackupOptions): Promise<BackupReport> {
  const draft = draftOf(file)
  mkdirSync(draft.folder, { mode: 0o700 })
  const isSqlite = fileOf(databaseUrl) !== undefined
  const copy = join(draft.folder, DATABASE_NAME)
  if (isSqlite) await copyDatabase(databaseUrl, copy)
  const journal = isSqlite ? await checkCopy(copy) : undefined
  const ofDatabase: Source[] = isSqlite ? [{ path: DATABASE_NAME, from: copy }] : []
  const manifest = await writeArchive(draft.file, [...ofDatabase, ...filesOf(dataDir, without)], (files) => ({
    format: FORMAT,
    release: RELEASE,
    createdAt: new Date().toISOString(),
    database: isSqlite ? 'sqlite' : 'postgres',
    ...(journal?.isWhole && {
      journal: { count: journal.count, lastId: journal.lastId, lastHash: journal.lastHash },
    }),
    files,
  }))
  await readArchive(draft.file, () => undefined)
  const bytes = statSync(draft.file).size
  renameSync(draft.file, file)
  syncFolder(dirname(file))
  noteBackup(dataDir, file, manifest.createdAt)
  return { manifest, bytes, journal }
}

const draftOf = (file: string) => ({ file: `${file}.part`, folder: `${file}.part-files` })

/** Removes the files of an unfinished backup. */
export function removeDraft(file: string): void {
  const draft = draftOf(file)
  rmSync(draft.file, { force: true })
  rmSync(draft.folder, { recursive: true, force: true })
}

function requirePlace({ dataDir, file, without = [] }: BackupOptions): void {
  if (!existsSync(dataDir))
    throw new SetupError(
      `Rien à sauvegarder\u00a0: le dossier ${dataDir} n’existe pas. Vérifiez ESCALE_DATA_DIR.`,
      `Nothing to back up: the folder ${dataDir} does not exist. Check ESCALE_DATA_DIR.`,
    )
  if (existsSync(file))
    throw new SetupError(
      `${file} existe déjà\u00a0: donnez un autre nom, ou déplacez-le. Une sauvegarde n’en remplace jamais une autre.`,
      `${file} exists already: give another name, or move it. A backup never replaces another.`,
    )
  if (isWithin(file, dataDir) && !without.some((folder) => isWithin(file, folder)))
    throw new SetupError(
      `Une sauvegarde dans le dossier de données (${dataDir}) se perdrait avec lui\u00a0: donnez un autre endroit, de préférence un autre disque.`,
      `A backup within the data folder (${dataDir}) would be lost with it: give another place, best on another disk.`,
    )
}

const isWithin = (file: string, folder: string) => file.startsWith(`${resolve(folder)}${sep}`)

function failed(file: string, err: unknown): unknown {
  if (err instanceof SetupError) return err
  const fault = fileFaultOf(err)
  if (!fault) return err
  const { french, english } = fault
  return new SetupError(
    `La sauvegarde ${basename(file)} ne peut être écrite dans ${dirname(file)}\u00a0: ${french}. Il n’en reste rien.`,
    `The backup ${basename(file)} cannot be written into ${dirname(file)}: ${english}. Nothing of it is left.`,
    err,
  )
}

/** Writes a new name in a folder to the disk. Windows has no such call. */
function syncFolder(folder: string): void {
  if (process.platform === 'win32') return
  const descriptor = openSync(folder, 'r')
  fsyncSync(descriptor)
  closeSync(descriptor)
}

function noteBackup(dataDir: string, file: string, at: string): void {
  writeFileSync(join(dataDir, LAST_BACKUP), JSON.stringify({ at, file }), { mode: 0o600 })
}
