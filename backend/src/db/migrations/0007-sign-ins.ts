import type { Migration } from './migration.ts'

/**
 * A sign-in has an end of its own, usernames have one form, addresses that signed in lately are remembered, and so is
 * the station whose secret was revoked.
 */
export const signIns: Migration = {
  name: '0007-sign-ins',
  statements: () => [
    `ALTER TABLE refresh_tokens ADD COLUMN family_ends_at_ms BIGINT NOT NULL DEFAULT 0`,
    // Refresh tokens live for 12 hours: the sign-in goes on for 7 days, counted from when its token was issued.
    `UPDATE refresh_tokens SET family_ends_at_ms = expires_at_ms - 43200000 + 604800000`,
    // Only the name of the first operator could have capitals, and only where nobody else has it without them.
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
    // What was typed as a username stood there as it was: such blocks end.
    `DELETE FROM throttles WHERE key LIKE 'login%'`,
  ],
}
