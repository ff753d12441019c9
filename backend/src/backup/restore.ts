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
  /** Folder with the previous files; undefined when there were none. */
  kept: string | undefined
}

/**
 * Reads and checks a whole backup, then replaces the files of a data folder with it. The previous files are kept in a
 * folder with a dated name. The caller holds the folder's lock.
 * @param isPostgres whether this site's database is on PostgreSQL, and so not in the folder
 * @throws SetupError when the backup cannot be used; nothing has changed then
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

/** Removes the files of an unfinished restore; the files of the site have not been touched yet. */
export function dropUnfinishedRestore(dataDir: string): void {
  rmSync(join(dataDir, RESTORING.reading), { recursive: true, force: true })
}

/**
 * Moves the previous files away, then the restored files to their place. When it is interrupted, another call goes on
 * from there: the name of the folder with the restored files says which of the two steps is next.
 * @returns the folder with the previous files; undefined when there were none
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
