import type { Migration } from './migration.ts'

/** Accounts of machines, boot tokens, the site key, and answered requests of automations and stations. */
export const accountsAndKeys: Migration = {
  name: '0004-accounts-and-keys',
  statements: () => [
    `CREATE TABLE accounts (
      id TEXT PRIMARY KEY,
      kind TEXT NOT NULL,
      label TEXT NOT NULL,
      role TEXT,
      is_active BOOLEAN NOT NULL,
      secret_hash TEXT NOT NULL,
      version BIGINT NOT NULL,
      created_at_ms BIGINT NOT NULL,
      updated_at_ms BIGINT NOT NULL
    )`,
    `CREATE TABLE boot_tokens (
      station_id TEXT PRIMARY KEY REFERENCES stations (id) ON DELETE CASCADE,
      token_hash TEXT NOT NULL UNIQUE,
      mac_address TEXT NOT NULL,
      expires_at_ms BIGINT NOT NULL
    )`,
    `CREATE TABLE site_keys (
      id INTEGER PRIMARY KEY CHECK (id = 1),
      key_hash TEXT NOT NULL,
      sealed_key TEXT NOT NULL,
      rotated_at_ms BIGINT NOT NULL
    )`,
    // The existing answers are not encrypted and needed only for minutes, so they are deleted.
    `DROP TABLE station_requests`,
    `CREATE TABLE answered_requests (
      party TEXT NOT NULL,
      request_id TEXT NOT NULL,
      content_hash TEXT NOT NULL,
      sealed_response TEXT NOT NULL,
      at_ms BIGINT NOT NULL,
      PRIMARY KEY (party, request_id)
    )`,
    `CREATE INDEX answered_requests_at ON answered_requests (at_ms)`,
  ],
}
