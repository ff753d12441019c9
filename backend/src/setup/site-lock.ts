import { createRequire } from 'node:module'
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Logger } from 'pino'
import { SetupError } from '../errors.ts'
import { lockPostgres } from '../db/server-lock.ts'

/** How long to wait for the previous server to stop; it takes no longer. */
const PREDECESSOR_MS = 4_000
const LOCK_FILE = 'server.lock'
/** Names the running process. When the next start finds it, the server before did not stop properly. */
const RUNNING_FILE = 'server.running'

interface SqliteDatabase {
  configure(option: 'busyTimeout', ms: number): void
  exec(sql: string, done: (err: Error | null) => void): void
  close(done: () => void): void
}
interface SqliteModule {
  Database: new (file: string, done: (err: Error | null) => void) => SqliteDatabase
}

export interface SiteLock {
  /** Start of the previous server, if it did not stop properly: kill -9, a crash, a power cut. */
  crashedSince?: string
  release(): Promise<void>
}

export interface SiteLockOptions {
  /** The data folder, which exists. */
  folder: string
  /** `postgres://...`, or empty when the database is a file in the folder. */
  databaseUrl: string
  /** Whether other servers of the same site may run beside this one, as they do over Redis. */
  isShared: boolean
  log: Logger
}

/**
 * Makes this process the only server of a site, or one of several that share it. The locks are the kernel's and
 * PostgreSQL's, so they end with the process in any case. Why: docs/adr/0026-one-server-per-site.md
 * @throws SetupError when another server runs
 */
export async function lockSite({ folder, databaseUrl, isShared, log }: SiteLockOptions): Promise<SiteLock> {
  const ofFolder = await lockFolder(folder, isShared ? 'shared' : 'alone')
  if (!ofFolder) throw runsAlready(folder)
  const ofDatabase = /^postgres(ql)?:/.test(databaseUrl)
    ? await lockPostgres(databaseUrl, { isShared, waitMs: PREDECESSOR_MS, log })
    : undefined
  const running = join(folder, RUNNING_FILE)
  const crashedSince = !isShared && existsSync(running) ? (runningIn(running).since ?? '') : undefined
  if (!isShared) writeFileSync(running, JSON.stringify({ pid: process.pid, since: new Date().toISOString() }))
  return {
    ...(crashedSince !== undefined && { crashedSince }),
    async release() {
      if (!isShared) rmSync(running, { force: true })
      await ofDatabase?.release()
      await ofFolder.release()
    },
  }
}

/**
 * Locks a data folder, alone or shared. An empty SQLite file is locked, because SQLite can lock a file on every
 * system; it takes no space, so that this also works on a full disk.
 * @returns undefined when another process still has the lock after `waitMs`
 */
export async function lockFolder(
  folder: string,
  mode: 'alone' | 'shared',
  waitMs = PREDECESSOR_MS,
): Promise<{ release(): Promise<void> } | undefined> {
  const { Database } = createRequire(import.meta.url)('sqlite3') as SqliteModule
  const file = join(folder, LOCK_FILE)
  const database = await new Promise<SqliteDatabase>((resolve, reject) => {
    const opened: SqliteDatabase = new Database(file, (err) =>
      err ? reject(unlockable(file, err)) : resolve(opened),
    )
  })
  const release = () => new Promise<void>((resolve) => database.close(resolve))
  database.configure('busyTimeout', waitMs)
  // A transaction that has read something holds the shared lock until it ends, which is with this process.
  const take = mode === 'alone' ? 'BEGIN EXCLUSIVE' : 'BEGIN; SELECT count(*) FROM sqlite_master'
  const sql = `PRAGMA journal_mode = MEMORY; ${take}`
  const err = await new Promise<Error | null>((resolve) => database.exec(sql, resolve))
  if (!err) return { release }
  await release()
  if ((err as NodeJS.ErrnoException).code === 'SQLITE_BUSY') return undefined
  throw unlockable(file, err)
}

/** The error that another server runs, with its process number when that is known. */
export function runsAlready(folder: string): SetupError {
  const pid = runningIn(join(folder, RUNNING_FILE)).pid
  const [french, english] = pid === undefined ? ['', ''] : [` (processus ${pid})`, ` (process ${pid})`]
  return new SetupError(
    `Un serveur tourne déjà sur le dossier ${folder}${french}\u00a0: arrêtez-le d’abord, ou donnez à celui-ci un autre ESCALE_DATA_DIR. Plusieurs serveurs d’un même site demandent PostgreSQL et Redis (docs/deployment.md).`,
    `A server already runs on the folder ${folder}${english}: stop it first, or give this one another ESCALE_DATA_DIR. Several servers of one site need PostgreSQL and Redis (docs/deployment.md).`,
  )
}

function unlockable(file: string, cause: Error): SetupError {
  return new SetupError(
    `${file} ne peut être verrouillé (${cause.message})\u00a0: donnez le dossier de données à l’utilisateur du serveur (chown -R), sur un disque où l’on peut écrire.`,
    `${file} cannot be locked (${cause.message}): give the data folder to the server’s user (chown -R), on a disk that can be written.`,
    cause,
  )
}

function runningIn(file: string): { pid?: number; since?: string } {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as ReturnType<typeof runningIn>
  } catch {
    // Missing, or incomplete because its process died: unknown.
    return {}
  }
}
