import type { Migration } from './migration.ts'

/** Instants are Unix milliseconds; documents that are never searched are JSON text. */
export const mainJob: Migration = {
  name: '0001-main-job',
  statements: (dialect) => [
    `CREATE TABLE operators (
      id TEXT PRIMARY KEY,
      username TEXT NOT NULL UNIQUE,
      password_hash TEXT NOT NULL,
      role TEXT NOT NULL,
      is_active BOOLEAN NOT NULL,
      created_at_ms BIGINT NOT NULL
    )`,
    `CREATE TABLE refresh_tokens (
      token_hash TEXT PRIMARY KEY,
      family_id TEXT NOT NULL,
      operator_id TEXT NOT NULL REFERENCES operators (id) ON DELETE CASCADE,
      expires_at_ms BIGINT NOT NULL,
      used_at_ms BIGINT
    )`,
    `CREATE INDEX refresh_tokens_family ON refresh_tokens (family_id)`,
    `CREATE TABLE users (
      id TEXT PRIMARY KEY,
      first_name TEXT NOT NULL,
      last_name TEXT NOT NULL,
      email TEXT,
      phone TEXT,
      birth_date TEXT,
      sex TEXT,
      municipality TEXT,
      occupation TEXT,
      notes TEXT,
      consent_given BOOLEAN NOT NULL,
      consent_at_ms BIGINT,
      consent_version TEXT,
      consent_revoked_at_ms BIGINT,
      has_photo BOOLEAN NOT NULL,
      version BIGINT NOT NULL,
      created_at_ms BIGINT NOT NULL,
      updated_at_ms BIGINT NOT NULL
    )`,
    `CREATE TABLE stations (
      id TEXT PRIMARY KEY,
      label TEXT NOT NULL,
      location TEXT,
      ip_address TEXT UNIQUE,
      mac_address TEXT UNIQUE,
      is_maintenance BOOLEAN NOT NULL,
      is_marked_offline BOOLEAN NOT NULL,
      secret_hash TEXT,
      previous_secret_hash TEXT,
      previous_secret_until_ms BIGINT,
      desired_version BIGINT NOT NULL,
      version BIGINT NOT NULL,
      created_at_ms BIGINT NOT NULL,
      updated_at_ms BIGINT NOT NULL
    )`,
    `CREATE TABLE station_presences (
      station_id TEXT PRIMARY KEY REFERENCES stations (id) ON DELETE CASCADE,
      online BOOLEAN NOT NULL,
      last_heard_at_ms BIGINT,
      last_heartbeat_at_ms BIGINT,
      last_seen_ip TEXT,
      boot_id TEXT,
      connection_seq BIGINT,
      agent_version TEXT,
      os TEXT,
      reported_state TEXT,
      reported_version BIGINT,
      metrics TEXT
    )`,
    `CREATE TABLE sessions (
      id TEXT PRIMARY KEY,
      user_id TEXT REFERENCES users (id),
      station_id TEXT,
      state TEXT NOT NULL,
      granted_seconds INTEGER NOT NULL,
      credit_seconds INTEGER NOT NULL,
      consumed_ms BIGINT NOT NULL,
      running_since_ms BIGINT,
      code_hash TEXT,
      code_expires_at_ms BIGINT NOT NULL,
      validated_station_id TEXT,
      validated_at_ms BIGINT,
      started_at_ms BIGINT,
      suspended_at_ms BIGINT,
      ended_at_ms BIGINT,
      end_reason TEXT,
      deadline_ms BIGINT,
      created_by TEXT NOT NULL,
      version BIGINT NOT NULL,
      created_at_ms BIGINT NOT NULL,
      updated_at_ms BIGINT NOT NULL
    )`,
    `CREATE UNIQUE INDEX sessions_live_code ON sessions (code_hash) WHERE state = 'pending'`,
    `CREATE UNIQUE INDEX sessions_one_per_station ON sessions (station_id) WHERE state IN ('active', 'suspended')`,
    `CREATE UNIQUE INDEX sessions_one_per_user ON sessions (user_id) WHERE state IN ('active', 'suspended')`,
    `CREATE INDEX sessions_deadline ON sessions (deadline_ms) WHERE deadline_ms IS NOT NULL`,
    `CREATE INDEX sessions_user_created ON sessions (user_id, created_at_ms)`,
    `CREATE TABLE session_grants (
      session_id TEXT NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
      desired_version BIGINT NOT NULL,
      seconds INTEGER NOT NULL,
      at_ms BIGINT NOT NULL
    )`,
    `CREATE INDEX session_grants_session ON session_grants (session_id)`,
    `CREATE TABLE logs (
      id BIGINT PRIMARY KEY,
      at_ms BIGINT NOT NULL,
      action TEXT NOT NULL,
      level TEXT NOT NULL,
      actor_type TEXT NOT NULL,
      actor_id TEXT NOT NULL,
      actor_label TEXT NOT NULL,
      station_id TEXT,
      session_id TEXT,
      user_id TEXT,
      ip TEXT,
      details TEXT NOT NULL,
      prev_hash TEXT NOT NULL,
      hash TEXT NOT NULL
    )`,
    `CREATE INDEX logs_at ON logs (at_ms)`,
    `CREATE INDEX logs_session ON logs (session_id)`,
    ...logGuards(dialect),
    `CREATE TABLE throttles (
      key TEXT PRIMARY KEY,
      failures INTEGER NOT NULL,
      window_start_ms BIGINT NOT NULL,
      level INTEGER NOT NULL,
      blocked_until_ms BIGINT NOT NULL
    )`,
    `CREATE TABLE station_requests (
      station_id TEXT NOT NULL REFERENCES stations (id) ON DELETE CASCADE,
      request_id TEXT NOT NULL,
      content_hash TEXT NOT NULL,
      response TEXT NOT NULL,
      at_ms BIGINT NOT NULL,
      PRIMARY KEY (station_id, request_id)
    )`,
    `CREATE TABLE station_events (
      station_id TEXT NOT NULL REFERENCES stations (id) ON DELETE CASCADE,
      boot_id TEXT NOT NULL,
      seq BIGINT NOT NULL,
      at_ms BIGINT NOT NULL,
      PRIMARY KEY (station_id, boot_id, seq)
    )`,
    `CREATE TABLE pairing_requests (
      id TEXT PRIMARY KEY,
      mac_address TEXT NOT NULL UNIQUE,
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
    `CREATE VIEW station_views AS
      SELECT s.*, p.last_heartbeat_at_ms, p.last_seen_ip, p.agent_version, p.os, p.metrics,
        COALESCE(p.online, ${dialect === 'sqlite' ? '0' : 'FALSE'}) AS online,
        a.id AS active_session_id,
        CASE
          WHEN s.is_maintenance THEN 'maintenance'
          WHEN a.id IS NOT NULL OR (p.reported_state = 'cleaning' AND p.online) THEN 'occupied'
          WHEN s.is_marked_offline OR p.online IS NULL OR NOT p.online THEN 'offline'
          ELSE 'available'
        END AS state
      FROM stations s
      LEFT JOIN station_presences p ON p.station_id = s.id
      LEFT JOIN sessions a ON a.station_id = s.id AND a.state IN ('active', 'suspended')`,
  ],
}

/** The journal is append-only: the database itself refuses to change or delete a row. */
function logGuards(dialect: string): string[] {
  if (dialect === 'sqlite') {
    return ['UPDATE', 'DELETE'].map(
      (verb) => `CREATE TRIGGER logs_no_${verb.toLowerCase()} BEFORE ${verb} ON logs
        BEGIN SELECT RAISE(ABORT, 'the journal is append-only'); END`,
    )
  }
  return [
    `CREATE FUNCTION refuse_log_change() RETURNS trigger LANGUAGE plpgsql AS
      $$ BEGIN RAISE EXCEPTION 'the journal is append-only'; END $$`,
    `CREATE TRIGGER logs_append_only BEFORE UPDATE OR DELETE ON logs
      FOR EACH ROW EXECUTE FUNCTION refuse_log_change()`,
  ]
}
