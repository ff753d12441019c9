import type { Migration } from './migration.ts'

/** Open calls for help, at most one for each station. A closed call has no row. */
export const staffCalls: Migration = {
  name: '0010-staff-calls',
  statements: () => [
    `CREATE TABLE staff_calls (
      id TEXT PRIMARY KEY,
      station_id TEXT NOT NULL UNIQUE REFERENCES stations (id) ON DELETE CASCADE,
      session_id TEXT REFERENCES sessions (id) ON DELETE SET NULL,
      reason TEXT,
      times INTEGER NOT NULL,
      called_at_ms BIGINT NOT NULL,
      renewed_at_ms BIGINT NOT NULL,
      taken_at_ms BIGINT,
      taken_by_id TEXT,
      taken_by TEXT
    )`,
  ],
}
