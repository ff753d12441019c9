import { ConnectionError, DatabaseError } from 'sequelize'

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

function codeOf(err: unknown): string {
  const code = err instanceof DatabaseError && 'code' in err.original ? err.original.code : undefined
  return typeof code === 'string' ? code : ''
}
