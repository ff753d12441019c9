import { createRequire } from 'node:module'
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Logger } from 'pino'
import { SetupError } from '../errors.ts'
import { lockPostgres } from '../db/server-lock.ts'

/** A server that was told to stop takes this long at most: whoever follows it waits. */
const PREDECESSOR_MS = 4_000
const LOCK_FILE = 'server.lock'
/** Says who runs; found by the next start, it tells that nobody had the time to remove it. */
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
  /** When the server before this one began, if it ended without a word: kill -9, a crash, a loss of power. */
  crashedSince?: string
  release(): Promise<void>
}

export interface SiteLockOptions {
  /** Data folder, which is there. */
  folder: string
  /** `postgres://...`, or nothing where the database is a file in the folder. */
  databaseUrl: string
  /** Whether other servers of the same site may run beside this one, as they do over Redis. */
  isShared: boolean
  log: Logger
}

/**
 * Makes this process the only server of a site, or one of those that know of each other. The locks are the kernel's
 * and PostgreSQL's: they end with the process, however it ends. Why: docs/adr/0026-one-server-per-site.md
 * @throws SetupError when another server runs
 */
export async function lockSite({ folder, databaseUrl, isShared, log }: SiteLockOptions): Promise<SiteLock> {
  const ofFolder = await lockFolder(folder, isShared ? 'shared' : 'alone')
  if (!ofFolder) throw runsAlready(folder)
  const ofDatabase = /^postgres(ql)?:/.test(databaseUrl)
    ? await lockPostgres(databaseUrl, { isShared, waitMs: PREDECESSOR_MS, log })
    : undefined
  const running = join(folder, RUNNING_FILE)
  const crashedSince = !isShared && existsSync(running) ? sinceOf(running) : undefined
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
 * Takes the lock of a data folder: alone, or beside others who share it. An empty SQLite file carries it, because
 * SQLite knows how to lock a file on every system; it takes no room, so that it works on a full disk too.
 * @returns undefined when another has it after `waitMs`
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
  // A transaction that has begun to read holds the shared lock until it ends, with this process.
  const take = mode === 'alone' ? 'BEGIN EXCLUSIVE' : 'BEGIN; SELECT count(*) FROM sqlite_master'
  const sql = `PRAGMA journal_mode = MEMORY; ${take}`
  const err = await new Promise<Error | null>((resolve) => database.exec(sql, resolve))
  if (!err) return { release }
  await release()
  if ((err as NodeJS.ErrnoException).code === 'SQLITE_BUSY') return undefined
  throw unlockable(file, err)
}

/** @returns the sentence that a server runs, with its process where that is known */
export function runsAlready(folder: string): SetupError {
  const pid = pidIn(join(folder, RUNNING_FILE))
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

interface Running {
  pid?: number
  since?: string
}

function runningIn(file: string): Running {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as Running
  } catch {
    // Half written by a process that died meanwhile, or gone: it says nothing.
    return {}
  }
}

const pidIn = (file: string) => runningIn(file).pid
const sinceOf = (file: string) => runningIn(file).since ?? ''
