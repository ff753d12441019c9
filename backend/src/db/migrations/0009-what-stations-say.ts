import type { Migration } from './migration.ts'

/**
 * The start of the agent that validated a session, and the one that started it; how far steps of the clock moved a
 * session back; the last presence of each station; the latest time of the server's clock. A MAC address that belongs to
 * no machine is removed from its stations.
 */
export const whatStationsSay: Migration = {
  name: '0009-what-stations-say',
  statements: () => [
    `ALTER TABLE sessions ADD COLUMN boot_id TEXT`,
    `ALTER TABLE sessions ADD COLUMN validated_boot_id TEXT`,
    `ALTER TABLE sessions ADD COLUMN moved_back_ms BIGINT NOT NULL DEFAULT 0`,
    `ALTER TABLE station_presences ADD COLUMN presence TEXT`,
    `CREATE TABLE server_clock (
      id INTEGER PRIMARY KEY,
      reached_ms BIGINT NOT NULL
    )`,
    `UPDATE stations SET mac_address = NULL
      WHERE mac_address = '00:00:00:00:00:00' OR substr(mac_address, 2, 1) IN ('1', '3', '5', '7', '9', 'b', 'd', 'f')`,
  ],
}
