import type { CommandStatus } from '@escale/protocol'

/** A command's state and its instants, Unix milliseconds of the server's clock. */
export interface CommandProgress {
  status: CommandStatus
  deliveredAtMs?: number
  appliedAtMs?: number
  failedAtMs?: number
  expiredAtMs?: number
  error?: string
}

export type CommandOutcome = Exclude<CommandStatus, 'sent' | 'delivered'>

/** An answer that was sent in time may arrive this long after the command's expiry. */
export const ANSWER_GRACE_MS = 1_000

/**
 * The command after an answer of its station; undefined if the answer changes nothing. The first outcome is final:
 * later answers are ignored. A command that was applied or has failed was also delivered.
 */
export function settleCommand<T extends CommandProgress>(
  command: T,
  answer: { status: Exclude<CommandStatus, 'sent'>; error?: string },
  nowMs: number,
): T | undefined {
  const { status, error } = answer
  if (isSettled(command)) return undefined
  if (status === 'delivered')
    return command.status === 'sent' ? { ...command, status, deliveredAtMs: nowMs } : undefined
  const settled = { ...command, status, ...(error === undefined ? {} : { error }) }
  if (status === 'expired') return { ...settled, expiredAtMs: nowMs }
  const deliveredAtMs = command.deliveredAtMs ?? nowMs
  return { ...settled, deliveredAtMs, [status === 'applied' ? 'appliedAtMs' : 'failedAtMs']: nowMs }
}

export function isSettled({ status }: CommandProgress): boolean {
  return status !== 'sent' && status !== 'delivered'
}
