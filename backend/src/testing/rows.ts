import type { Store } from '../db/database.ts'
import { createSessionRepository } from '../features/sessions/index.ts'
import { createStationRepository } from '../features/stations/index.ts'
import { createUserRepository } from '../features/users/index.ts'

/** The rows that the app gives to several features. */
export const rowsIn = (database: Store) => ({
  sessions: createSessionRepository(database),
  stations: createStationRepository(database, () => undefined),
  users: createUserRepository(database),
})
