import { foldText } from './folded-texts.ts'
import type { Migration } from './migration.ts'

/** Search texts, versions of operators, and the order in which statistics read sessions. */
export const searchAndVersions: Migration = {
  name: '0003-search-and-versions',
  statements: (dialect) => {
    const isSqlite = dialect === 'sqlite'
    // Folded text is sorted by its bytes on both engines.
    const text = `TEXT${isSqlite ? '' : ' COLLATE "C"'} NOT NULL`
    const lines = (columns: string[]) =>
      columns.map((column) => `COALESCE(${column}, '')`).join(` || ${isSqlite ? 'char(10)' : 'chr(10)'} || `)
    const said = lines(['details', 'actor_label'])
    const bytesSaid = isSqlite ? `length(CAST(${said} AS BLOB))` : `octet_length(${said})`
    const users = lines(['last_name', 'first_name', 'email', 'phone', 'municipality'])
    const stations = lines(['label', 'location', 'id', 'ip_address', 'mac_address'])
    return [
      `ALTER TABLE operators ADD COLUMN version BIGINT NOT NULL DEFAULT 1`,
      `ALTER TABLE users ADD COLUMN search_text ${text} DEFAULT ''`,
      `UPDATE users SET search_text = ${foldedSql(users)}`,
      `CREATE INDEX users_search_text ON users (search_text, id)`,
      `ALTER TABLE stations ADD COLUMN search_text ${text} DEFAULT ''`,
      `UPDATE stations SET search_text = ${foldedSql(stations)}`,
      `CREATE INDEX stations_search_text ON stations (search_text, id)`,
      `DROP VIEW station_views`,
      `CREATE VIEW station_views AS
        SELECT s.*, p.last_heartbeat_at_ms, p.last_seen_ip, p.agent_version, p.os, p.metrics,
          COALESCE(p.online, ${isSqlite ? '0' : 'FALSE'}) AS online,
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
      // Not in the journal, whose rows never change. Only for records with other characters than ASCII.
      `CREATE TABLE log_texts (
        log_id BIGINT PRIMARY KEY REFERENCES logs (id) ON DELETE CASCADE,
        search_text TEXT NOT NULL
      )`,
      `INSERT INTO log_texts (log_id, search_text)
        SELECT id, ${foldedSql(said)} FROM logs WHERE ${bytesSaid} > length(${said})`,
      `CREATE INDEX sessions_created ON sessions (created_at_ms, id)`,
    ]
  },
}

const MARKS = ['\u0300', '\u0301', '\u0302', '\u0303', '\u0308', '\u0327']
const LATIN = Array.from({ length: 0x17f - 0xc0 + 1 }, (_, index) => String.fromCodePoint(0xc0 + index))

/** `foldText` in SQL, for the letters of Latin languages, for existing rows. */
function foldedSql(expression: string): string {
  const replaced = [...LATIN, ...MARKS, '’'].reduce((inner, letter) => {
    const plain = foldText(letter)
    return plain === letter ? inner : `replace(${inner}, '${letter}', '${plain.replace("'", "''")}')`
  }, expression)
  return `lower(${replaced})`
}
