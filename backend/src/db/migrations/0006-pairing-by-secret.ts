import type { Migration } from './migration.ts'

/** A pairing request is identified by its secret, because a MAC address can be forged. Requests live for minutes, so existing ones are deleted. */
export const pairingBySecret: Migration = {
  name: '0006-pairing-by-secret',
  statements: () => [
    `DROP TABLE pairing_requests`,
    `CREATE TABLE pairing_requests (
      id TEXT PRIMARY KEY,
      mac_address TEXT NOT NULL,
      hostname TEXT NOT NULL,
      os TEXT NOT NULL,
      agent_version TEXT NOT NULL,
      ip TEXT,
      pairing_code TEXT NOT NULL,
      secret_hash TEXT NOT NULL,
      station_id TEXT REFERENCES stations (id) ON DELETE CASCADE,
      requested_at_ms BIGINT NOT NULL,
      expires_at_ms BIGINT NOT NULL
    )`,
  ],
}
