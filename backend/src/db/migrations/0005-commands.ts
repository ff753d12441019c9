import type { Migration } from './migration.ts'

/** Commands with their progress, and the last versions of deleted stations. */
export const commands: Migration = {
  name: '0005-commands',
  statements: () => [
    `CREATE TABLE commands (
      id TEXT PRIMARY KEY,
      station_id TEXT NOT NULL REFERENCES stations (id) ON DELETE CASCADE,
      batch_id TEXT NOT NULL,
      op TEXT NOT NULL,
      params TEXT NOT NULL,
      boot_id TEXT,
      status TEXT NOT NULL,
      created_by TEXT NOT NULL,
      sent_at_ms BIGINT NOT NULL,
      expires_at_ms BIGINT NOT NULL,
      delivered_at_ms BIGINT,
      applied_at_ms BIGINT,
      failed_at_ms BIGINT,
      expired_at_ms BIGINT,
      error TEXT
    )`,
    `CREATE INDEX commands_open ON commands (expires_at_ms) WHERE status IN ('sent', 'delivered')`,
    `CREATE INDEX commands_sent ON commands (sent_at_ms)`,
    `CREATE INDEX commands_station ON commands (station_id, sent_at_ms)`,
    `CREATE TABLE retired_stations (
      station_id TEXT PRIMARY KEY,
      desired_version BIGINT NOT NULL
    )`,
  ],
}
