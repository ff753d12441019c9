import type { Migration } from './migration.ts'

/**
 * Which start of an agent validated and started a session, how far a session was moved back by steps of the clock,
 * each station's last presence, and the time up to which the server's clock has been. A MAC address that names no
 * machine is taken away from the stations that had it.
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
