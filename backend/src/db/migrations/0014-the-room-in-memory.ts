import type { Migration } from './migration.ts'

/** Stations are searched, and their state is computed, only in memory. */
export const theRoomInMemory: Migration = {
  name: '0014-the-room-in-memory',
  statements: () => [
    `DROP VIEW station_views`,
    `DROP INDEX stations_search_text`,
    `ALTER TABLE stations DROP COLUMN search_text`,
  ],
}
