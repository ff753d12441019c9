/** Why the database cannot be read or written now, independent of the query. */
export type StorageFault =
  'full' | 'locked' | 'busy' | 'read-only' | 'out-of-reach' | 'damaged' | 'failing' | 'unreachable'

/**
 * The fault for each code of SQLite, the operating system (also for files beside the database) or PostgreSQL. Source:
 * https://www.sqlite.org/rescode.html; PostgreSQL's documentation, appendix A
 */
const faults: Partial<Record<string, StorageFault>> = {
  SQLITE_FULL: 'full',
  SQLITE_BUSY: 'locked',
  SQLITE_LOCKED: 'locked',
  SQLITE_READONLY: 'read-only',
  SQLITE_PERM: 'read-only',
  SQLITE_CANTOPEN: 'out-of-reach',
  SQLITE_CORRUPT: 'damaged',
  SQLITE_NOTADB: 'damaged',
  SQLITE_IOERR: 'failing',
  ENOSPC: 'full',
  EDQUOT: 'full',
  EROFS: 'read-only',
  EACCES: 'read-only',
  EIO: 'failing',
  EMFILE: 'failing',
  ENFILE: 'failing',
  '40001': 'busy',
  '40P01': 'busy',
  '53100': 'full',
  '53200': 'failing',
  '53300': 'unreachable',
  '55P03': 'locked',
  '25006': 'read-only',
  '58030': 'failing',
  XX001: 'damaged',
  XX002: 'damaged',
}

/** Other codes of temporary failures; for PostgreSQL whole classes, by their first two characters. */
const temporary = new Set([
  ...['SQLITE_NOMEM', 'SQLITE_AUTH', 'SQLITE_PROTOCOL', 'SQLITE_NOLFS'],
  ...['EPERM', 'ENOENT', 'EPIPE', 'EAI_AGAIN', 'ETIMEDOUT'],
  ...['ECONNREFUSED', 'ECONNRESET', 'EHOSTUNREACH', 'ENETUNREACH'],
  ...['08', '40', '53', '57', '58', 'XX', '25P03'],
])

/** Serialisation failure, deadlock: PostgreSQL rolled the transaction back and it must be repeated. */
export const askedAgainCodes: readonly string[] = ['40001', '40P01']

/** The connection was closed by an administrator, a crash, a restart, or because it was idle. */
export const connectionLostCodes: readonly string[] = [
  ...['57P01', '57P02', '57P03', '25P03', '08003', '08006'],
  ...['ECONNRESET', 'EPIPE'],
]

export const faultOfCode = (code: string): StorageFault | undefined => faults[code]

/** Whether the code is about the file, the disk, the memory or the connection, not about the query. */
export function isTemporaryCode(code: string): boolean {
  // SQLite's extended codes begin with the primary one: SQLITE_IOERR_READ.
  const primary = /^SQLITE_[A-Z]+/.exec(code)?.[0] ?? code
  const isKnown = Object.hasOwn(faults, primary) || temporary.has(primary)
  return isKnown || (/^[0-9A-Z]{5}$/.test(code) && temporary.has(code.slice(0, 2)))
}
