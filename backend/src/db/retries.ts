import { ConnectionError, DatabaseError, TimeoutError } from 'sequelize'
import { askedAgainCodes, connectionLostCodes, isTemporaryCode } from './fault-codes.ts'

/** Whether the database undid a transaction and asks to have it again. */
export function isAskedAgain(err: unknown): boolean {
  return askedAgainCodes.includes(codeOf(err))
}

/** Whether a statement failed because its connection went away, as when the database restarts. */
export function isConnectionLost(err: unknown): boolean {
  if (err instanceof ConnectionError || connectionLostCodes.includes(codeOf(err))) return true
  // The driver has no code for a socket that just closed.
  return err instanceof DatabaseError && /^(Connection terminated|Client has encountered)/.test(err.message)
}

/**
 * Whether something failed because the database could not take it now, for instance because the disk is full or the
 * server is gone. The same may succeed later. What breaks a rule of the database, or of ours, never will.
 */
export function isTemporary(err: unknown): boolean {
  for (let one = err; one instanceof Error; one = one.cause) {
    if (one instanceof ConnectionError || one instanceof TimeoutError || isConnectionLost(one)) return true
    const code = one instanceof DatabaseError ? codeOf(one) : 'code' in one ? String(one.code) : ''
    if (isTemporaryCode(code)) return true
  }
  return false
}

function codeOf(err: unknown): string {
  const code = err instanceof DatabaseError && 'code' in err.original ? err.original.code : undefined
  return typeof code === 'string' ? code : ''
}
