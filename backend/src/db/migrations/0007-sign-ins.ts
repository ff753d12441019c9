import type { Migration } from './migration.ts'

/**
 * A sign-in has its own end, usernames are in lower case, and the database stores addresses that signed in lately and
 * stations whose secret was revoked.
 */
export const signIns: Migration = {
  name: '0007-sign-ins',
  statements: () => [
    `ALTER TABLE refresh_tokens ADD COLUMN family_ends_at_ms BIGINT NOT NULL DEFAULT 0`,
    // Refresh tokens live for 12 hours. The sign-in ends 7 days after its token was issued.
    `UPDATE refresh_tokens SET family_ends_at_ms = expires_at_ms - 43200000 + 604800000`,
    // Only the first operator's name could have capitals. It is changed only if nobody else has the name in lower case.
    `UPDATE operators SET username = lower(username)
      WHERE NOT EXISTS (
        SELECT 1 FROM operators other WHERE other.username = lower(operators.username) AND other.id <> operators.id
      )`,
    `CREATE TABLE sign_in_addresses (
      operator_id TEXT NOT NULL REFERENCES operators (id) ON DELETE CASCADE,
      address_hash TEXT NOT NULL,
      last_at_ms BIGINT NOT NULL,
      PRIMARY KEY (operator_id, address_hash)
    )`,
    `CREATE INDEX sign_in_addresses_address ON sign_in_addresses (address_hash)`,
    `CREATE TABLE revoked_secrets (
      station_id TEXT PRIMARY KEY REFERENCES stations (id) ON DELETE CASCADE,
      at_ms BIGINT NOT NULL
    )`,
    // These blocks contained usernames as they were typed, so they are deleted.
    `DELETE FROM throttles WHERE key LIKE 'login%'`,
  ],
}
