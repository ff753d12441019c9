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

/** How long after its expiry an answer that was given in time may still be under way. */
export const ANSWER_GRACE_MS = 1_000

/**
 * What an answer makes of a command; undefined when it says nothing new. The first outcome is final: an answer
 * that comes after it is late, or a repetition. A station that has done it has had it.
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
  const told = { ...command, status, ...(error === undefined ? {} : { error }) }
  if (status === 'expired') return { ...told, expiredAtMs: nowMs }
  const deliveredAtMs = command.deliveredAtMs ?? nowMs
  return { ...told, deliveredAtMs, [status === 'applied' ? 'appliedAtMs' : 'failedAtMs']: nowMs }
}

export function isSettled({ status }: CommandProgress): boolean {
  return status !== 'sent' && status !== 'delivered'
}
