import type { Migration } from './migration.ts'

/** Settings, runs of jobs, reports, archives, photos, and a journal whose sealed records can be deleted. */
export const calendar: Migration = {
  name: '0002-calendar',
  statements: (dialect) => [
    `CREATE TABLE settings (name TEXT PRIMARY KEY, value TEXT NOT NULL)`,
    `CREATE TABLE job_runs (
      name TEXT NOT NULL,
      slot_ms BIGINT NOT NULL,
      started_at_ms BIGINT NOT NULL,
      ended_at_ms BIGINT,
      outcome TEXT,
      result TEXT,
      PRIMARY KEY (name, slot_ms)
    )`,
    `CREATE TABLE reports (
      id TEXT PRIMARY KEY,
      kind TEXT NOT NULL,
      from_ms BIGINT NOT NULL,
      to_ms BIGINT NOT NULL,
      created_at_ms BIGINT NOT NULL,
      content TEXT NOT NULL,
      UNIQUE (kind, from_ms)
    )`,
    `CREATE TABLE archives (
      file TEXT PRIMARY KEY,
      kind TEXT NOT NULL,
      from_ms BIGINT NOT NULL,
      to_ms BIGINT NOT NULL,
      row_count BIGINT NOT NULL,
      sha256 TEXT NOT NULL,
      verified_at_ms BIGINT NOT NULL
    )`,
    `CREATE TABLE session_profiles (
      session_id TEXT PRIMARY KEY REFERENCES sessions (id) ON DELETE CASCADE,
      age_band TEXT,
      sex TEXT,
      municipality TEXT,
      occupation TEXT
    )`,
    `ALTER TABLE sessions ADD COLUMN may_outlive_closing BOOLEAN NOT NULL DEFAULT ${dialect === 'sqlite' ? '0' : 'FALSE'}`,
    `ALTER TABLE users ADD COLUMN photo_name TEXT`,
    `ALTER TABLE users DROP COLUMN has_photo`,
    `CREATE TABLE log_checkpoints (
      up_to_id BIGINT PRIMARY KEY,
      last_hash TEXT NOT NULL,
      sealed_at_ms BIGINT NOT NULL
    )`,
    ...checkpointGuards(dialect),
  ],
}

/** A record can be deleted only after a checkpoint seals it. A checkpoint never changes. */
function checkpointGuards(dialect: string): string[] {
  const sealed = 'COALESCE((SELECT MAX(up_to_id) FROM log_checkpoints), 0)'
  if (dialect === 'sqlite') {
    const guards = ['UPDATE', 'DELETE'].map(
      (verb) => `CREATE TRIGGER log_checkpoints_no_${verb.toLowerCase()} BEFORE ${verb} ON log_checkpoints
        BEGIN SELECT RAISE(ABORT, 'a checkpoint is final'); END`,
    )
    return [
      ...guards,
      `DROP TRIGGER logs_no_delete`,
      `CREATE TRIGGER logs_no_delete BEFORE DELETE ON logs WHEN OLD.id > ${sealed}
        BEGIN SELECT RAISE(ABORT, 'the journal is append-only'); END`,
    ]
  }
  return [
    `CREATE FUNCTION refuse_checkpoint_change() RETURNS trigger LANGUAGE plpgsql AS
      $$ BEGIN RAISE EXCEPTION 'a checkpoint is final'; END $$`,
    `CREATE TRIGGER log_checkpoints_final BEFORE UPDATE OR DELETE ON log_checkpoints
      FOR EACH ROW EXECUTE FUNCTION refuse_checkpoint_change()`,
    `DROP TRIGGER logs_append_only ON logs`,
    `CREATE TRIGGER logs_no_update BEFORE UPDATE ON logs
      FOR EACH ROW EXECUTE FUNCTION refuse_log_change()`,
    `CREATE FUNCTION refuse_unsealed_delete() RETURNS trigger LANGUAGE plpgsql AS
      $$ BEGIN
        IF OLD.id > ${sealed} THEN RAISE EXCEPTION 'the journal is append-only'; END IF;
        RETURN OLD;
      END $$`,
    `CREATE TRIGGER logs_no_delete BEFORE DELETE ON logs
      FOR EACH ROW EXECUTE FUNCTION refuse_unsealed_delete()`,
  ]
}
