import { setTimeout as pause } from 'node:timers/promises'
import type { Sequelize } from 'sequelize'
import type { Logger } from 'pino'
import { OPEN_READWRITE } from './connection.ts'

/** The part of a connection of the sqlite3 package that we use. */
interface Connection {
  configure(option: 'busyTimeout', ms: number): void
  exec(sql: string, done: (err: Error | null) => void): void
  get(sql: string, done: (err: Error | null, row: Record<string, number> | undefined) => void): void
  close(done: (err: Error | null) => void): void
}
type Open = new (file: string, mode: number, done: (err: Error | null) => void) => Connection

/** Nobody can write while this waits for readers, so the wait is short. */
const WAIT_MS = 200
/** Tried at once after an erasure, and repeated until it is complete. */
const TRIES = 5
const TRY_AGAIN_MS = 30_000

/** Ensures that deleted data are not in the database's files. */
export interface SecureErasure {
  /**
   * Removes deleted data from the write-ahead log too. If a reader prevents that, it is tried again later.
   * @returns whether it is complete
   */
  complete(): Promise<boolean>
  stop(): void
}

/** @param file the database's file; its pages are also in the write-ahead log until that is emptied */
export function createSecureErasure(sequelize: Sequelize, file: string, log: Logger): SecureErasure {
  let timer: NodeJS.Timeout | undefined

  async function complete(): Promise<boolean> {
    clearTimeout(timer)
    if (await emptied()) return true
    timer = setTimeout(() => void complete(), TRY_AGAIN_MS)
    timer.unref()
    return false
  }

  /** The deletion is already committed, so a failure here is only logged. */
  async function emptied(): Promise<boolean> {
    try {
      for (let left = TRIES; left > 0; left -= 1) {
        if (await emptyLog(sequelize, file)) return true
        await pause(WAIT_MS)
      }
      log.warn({ file }, 'what was erased stays in the log of the database while another program reads it')
    } catch (err) {
      log.error({ err, file }, 'the log of the database could not be emptied')
    }
    return false
  }

  return { complete, stop: () => clearTimeout(timer) }
}

/**
 * Copies the pages of the write-ahead log to the file and truncates the log;
 * @returns false if a reader still needs it
 */
async function emptyLog({ connectionManager }: Sequelize, file: string): Promise<boolean> {
  const { Database: Open } = (connectionManager as unknown as { lib: { Database: Open } }).lib
  // Uses a separate connection: SQLite refuses this on a connection with running reads.
  const connection = await new Promise<Connection>((resolve, reject) => {
    const opened: Connection = new Open(file, OPEN_READWRITE, (err) => {
      if (err) reject(err)
      else resolve(opened)
    })
  })
  try {
    connection.configure('busyTimeout', WAIT_MS)
    const row = await new Promise<Record<string, number> | undefined>((resolve, reject) => {
      connection.get('PRAGMA wal_checkpoint(TRUNCATE)', (err, found) => {
        if (err) reject(err)
        else resolve(found)
      })
    })
    return row?.['busy'] === 0
  } finally {
    await run((done) => {
      connection.close(done)
    })
  }
}

function run(act: (done: (err: Error | null) => void) => void): Promise<void> {
  return new Promise((resolve, reject) => {
    act((err) => {
      if (err) reject(err)
      else resolve()
    })
  })
}
