import { pino } from 'pino'
import { openDatabase, type Store } from './database.ts'

/** Opens a database for one piece of work, without a log, and closes it afterwards. */
export async function withDatabase<T>(url: string, work: (database: Store) => Promise<T>): Promise<T> {
  const database = await openDatabase(url, pino({ level: 'silent' }))
  try {
    return await work(database)
  } finally {
    await database.close()
  }
}
