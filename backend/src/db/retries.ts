import { ConnectionError, DatabaseError, TimeoutError } from 'sequelize'

/** Serialisation failure, deadlock. Source: PostgreSQL's documentation, appendix A */
const ASKED_AGAIN = ['40001', '40P01']
/** Ended by an administrator, by a crash, while starting; ended because it stood still. */
const CONNECTION_LOST = ['57P01', '57P02', '57P03', '25P03', '08003', '08006', 'ECONNRESET', 'EPIPE']

/** Whether the database undid a transaction and asks to have it again. */
export function isAskedAgain(err: unknown): boolean {
  return ASKED_AGAIN.includes(codeOf(err))
}

/** Whether a statement failed because its connection went away, as when the database restarts. */
export function isConnectionLost(err: unknown): boolean {
  if (err instanceof ConnectionError || CONNECTION_LOST.includes(codeOf(err))) return true
  // The driver has no code for a socket that just closed.
  return err instanceof DatabaseError && /^(Connection terminated|Client has encountered)/.test(err.message)
}

/**
 * SQLite's answers that are about the file, the disk or the memory, not about what was asked.
 * Source: https://www.sqlite.org/rescode.html
 */
const SQLITE_TROUBLE =
  /^SQLITE_(BUSY|LOCKED|FULL|IOERR|READONLY|CANTOPEN|CORRUPT|NOTADB|NOMEM|PERM|AUTH|PROTOCOL|NOLFS)/
/**
 * Connections, transactions to be had again, resources, intervention, the system's errors, damage; a lock that was not
 * had, a server that only reads. Source: PostgreSQL's documentation, appendix A
 */
const POSTGRES_TROUBLE = /^(08|40|53|57|58|XX)...$|^(55P03|25006|25P03)$/
/** What the operating system says of files and connections. */
const SYSTEM_TROUBLE =
  /^E(NOSPC|DQUOT|IO|ROFS|ACCES|PERM|NOENT|MFILE|NFILE|CONNREFUSED|CONNRESET|PIPE|TIMEDOUT|HOSTUNREACH|NETUNREACH|AI_AGAIN)$/

/**
 * Whether something failed because the database could not take it now, for instance because the disk is full or the
 * server is gone. The same may succeed later. What breaks a rule of the database, or of ours, never will.
 */
export function isTemporary(err: unknown): boolean {
  for (let one = err; one instanceof Error; one = one.cause) {
    if (one instanceof ConnectionError || one instanceof TimeoutError || isConnectionLost(one)) return true
    const code = one instanceof DatabaseError ? codeOf(one) : 'code' in one ? String(one.code) : ''
    if (SQLITE_TROUBLE.test(code) || POSTGRES_TROUBLE.test(code) || SYSTEM_TROUBLE.test(code)) return true
  }
  return false
}

function codeOf(err: unknown): string {
  const code = err instanceof DatabaseError && 'code' in err.original ? err.original.code : undefined
  return typeof code === 'string' ? code : ''
}
