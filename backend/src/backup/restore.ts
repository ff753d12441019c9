import { existsSync, mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { SetupError } from '../errors.ts'
import { readArchive } from './archive.ts'
import { checkCopy } from './database-copy.ts'
import { fileFaultOf } from './file-fault.ts'
import { BEFORE_RESTORE, RESTORING, isOfSite } from './folder-contents.ts'
import { DATABASE_NAME, type Manifest } from './manifest.ts'
import { stampOf } from './stamp.ts'

export interface RestoreReport {
  manifest: Manifest
  /** Where what was in the folder is now; undefined where there was nothing. */
  kept: string | undefined
}

/**
 * Puts the contents of a backup into a data folder, once all of it has been read and checked; what was there is
 * kept beside it under a dated name. To be called with the folder's lock held.
 * @param isPostgres whether the database of this site is PostgreSQL, which keeps its own
 * @throws SetupError when the backup cannot be used; the folder is as it was then
 */
export async function restoreBackup(
  dataDir: string,
  file: string,
  isPostgres: boolean,
): Promise<RestoreReport> {
  finishRestore(dataDir)
  const reading = join(dataDir, RESTORING.reading)
  dropUnfinishedRestore(dataDir)
  try {
    mkdirSync(reading, { mode: 0o700 })
    const manifest = await readArchive(file, (path) => {
      const to = join(reading, path)
      mkdirSync(dirname(to), { recursive: true, mode: 0o700 })
      return open(to, 'wx', 0o600)
    })
    requireSameEngine(manifest, isPostgres)
    if (manifest.database === 'sqlite') await requireWhole(join(reading, DATABASE_NAME), manifest)
    renameSync(reading, join(dataDir, RESTORING.ready))
    return { manifest, kept: finishRestore(dataDir) }
  } catch (err) {
    throw failed(dataDir, file, err)
  } finally {
    dropUnfinishedRestore(dataDir)
  }
}

/** Removes what a restore has read so far; the folder's own contents were not touched yet. */
export function dropUnfinishedRestore(dataDir: string): void {
  rmSync(join(dataDir, RESTORING.reading), { recursive: true, force: true })
}

/**
 * Puts what was restored in its place; whatever ends this, calling it again goes on where it ended. Its two halves,
 * the old that leaves and the new that enters, are told apart by the name of the folder that holds the new.
 * @returns where what was in the folder is kept; undefined where nothing was
 */
export function finishRestore(dataDir: string): string | undefined {
  const ready = join(dataDir, RESTORING.ready)
  const moving = join(dataDir, RESTORING.moving)
  let kept: string | undefined
  if (existsSync(ready)) {
    const leaving = readdirSync(dataDir).filter(isOfSite)
    if (leaving.length > 0) {
      kept = join(dataDir, `${BEFORE_RESTORE}${stampOf(Date.now())}`)
      mkdirSync(kept, { recursive: true, mode: 0o700 })
      for (const name of leaving) renameSync(join(dataDir, name), join(kept, name))
    }
    renameSync(ready, moving)
  }
  if (existsSync(moving)) {
    for (const name of readdirSync(moving)) renameSync(join(moving, name), join(dataDir, name))
    rmSync(moving, { recursive: true })
  }
  return kept
}

function requireSameEngine({ database }: Manifest, isPostgres: boolean): void {
  if ((database === 'postgres') === isPostgres) return
  if (isPostgres)
    throw new SetupError(
      'Cette sauvegarde contient une base SQLite, mais DATABASE_URL désigne PostgreSQL\u00a0: retirez DATABASE_URL pour la restaurer.',
      'This backup holds a SQLite database, but DATABASE_URL names PostgreSQL: remove DATABASE_URL to restore it.',
    )
  throw new SetupError(
    'Cette sauvegarde vient d’un site sur PostgreSQL et ne contient pas sa base\u00a0: donnez DATABASE_URL, et restaurez la base avec pg_restore (docs/backup.md).',
    'This backup is of a site on PostgreSQL and does not hold its database: give DATABASE_URL, and restore the database with pg_restore (docs/backup.md).',
  )
}

async function requireWhole(database: string, { journal }: Manifest): Promise<void> {
  const found = await checkCopy(database)
  if (!journal || !found) return
  if (found.isWhole && found.lastHash === journal.lastHash && found.count === journal.count) return
  throw new SetupError(
    'Le journal de cette sauvegarde n’est pas celui qu’elle annonce\u00a0: prenez-en une autre.',
    'The journal of this backup is not the one that it announces: take another.',
  )
}

function failed(dataDir: string, file: string, err: unknown): unknown {
  if (err instanceof SetupError) return err
  const fault = fileFaultOf(err)
  if (!fault) return err
  const { french, english } = fault
  if ((err as NodeJS.ErrnoException).path === file)
    return new SetupError(
      `${file} ne peut être lu\u00a0: ${french}.`,
      `${file} cannot be read: ${english}.`,
      err,
    )
  return new SetupError(
    `La sauvegarde ne peut être restaurée dans ${dataDir}\u00a0: ${french}. Rien n’y a changé.`,
    `The backup cannot be restored into ${dataDir}: ${english}. Nothing has changed there.`,
    err,
  )
}
