import { ConnectionError, DatabaseError, TimeoutError } from 'sequelize'
import { askedAgainCodes, connectionLostCodes, isTemporaryCode } from './fault-codes.ts'

/** Whether the database rolled a transaction back that must be repeated. */
export function isAskedAgain(err: unknown): boolean {
  return askedAgainCodes.includes(codeOf(err))
}

/** Whether a statement failed because its connection was lost, as at a restart of the database. */
export function isConnectionLost(err: unknown): boolean {
  if (err instanceof ConnectionError || connectionLostCodes.includes(codeOf(err))) return true
  // The driver has no code for a socket that was just closed.
  return err instanceof DatabaseError && /^(Connection terminated|Client has encountered)/.test(err.message)
}

/**
 * Whether a failure is temporary, for example because the disk is full or the server is down. A violation of a rule of
 * the database, or an error in our code, is not.
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
