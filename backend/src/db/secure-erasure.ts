import { setTimeout as pause } from 'node:timers/promises'
import type { Sequelize } from 'sequelize'
import type { Logger } from 'pino'
import { OPEN_READWRITE } from './connection.ts'

/** What we use of a connection of the sqlite3 package. */
interface Connection {
  configure(option: 'busyTimeout', ms: number): void
  exec(sql: string, done: (err: Error | null) => void): void
  get(sql: string, done: (err: Error | null, row: Record<string, number> | undefined) => void): void
  close(done: (err: Error | null) => void): void
}
type Open = new (file: string, mode: number, done: (err: Error | null) => void) => Connection

/** While the log waits for its readers nobody writes: not long. */
const WAIT_MS = 200
/** Tried at once after an erasure, and then until it is done. */
const TRIES = 5
const TRY_AGAIN_MS = 30_000

/** What is removed from the database is not to be found in its file. */
export interface SecureErasure {
  /**
   * Brings what was removed out of the file's log as well; where a reader keeps it from that, goes on trying.
   * @returns whether it is done
   */
  complete(): Promise<boolean>
  stop(): void
}

/** @param file of the database; pages of it stand in the log beside it until the log is emptied */
export function createSecureErasure(sequelize: Sequelize, file: string, log: Logger): SecureErasure {
  let timer: NodeJS.Timeout | undefined

  async function complete(): Promise<boolean> {
    clearTimeout(timer)
    if (await emptied()) return true
    timer = setTimeout(() => void complete(), TRY_AGAIN_MS)
    timer.unref()
    return false
  }

  /** What is removed is committed: a failure here is told, and is no failure of the removal. */
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

/** Copies the log's pages into the file and cuts the log to nothing; @returns false where a reader still needs it */
async function emptyLog({ connectionManager }: Sequelize, file: string): Promise<boolean> {
  const { Database: Open } = (connectionManager as unknown as { lib: { Database: Open } }).lib
  // A connection of its own: on one that reads meanwhile, SQLite refuses.
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
