import { DEFAULT_COMMAND_SECONDS, SECOND_MS, type Ack, type Actor, type LogAction } from '@escale/protocol'
import type { CommandRecord } from '../../db/rows.ts'
import { ANSWER_GRACE_MS, isSettled, settleCommand } from '../../domain/command.ts'
import type { AppEvents } from '../../events.ts'
import type { BasePorts } from '../base-ports.ts'
import { systemActor } from '../logs/index.ts'
import type { CommandRepository } from './repository.ts'

export interface SettlingPorts extends BasePorts {
  repository: CommandRepository
  events: AppEvents
}

export type Settling = ReturnType<typeof createSettling>

/** Records the answers of stations to commands, and the expiry of commands. */
export function createSettling({ database, repository, journal, events, clock }: SettlingPorts) {
  async function settle(
    command: CommandRecord,
    answer: Parameters<typeof settleCommand>[1],
    actor: Actor,
  ): Promise<void> {
    const nowMs = clock.nowMs()
    const settled = settleCommand(command, answer, nowMs)
    if (!settled) return
    const after = settled.status === 'delivered' ? withTimeForDelay(settled, nowMs) : settled
    await repository.update(after)
    const { id: commandId, batchId, op, stationId, status, error, sentAtMs } = after
    if (isSettled(after)) {
      await journal.append({
        action: `command.${status}` as LogAction,
        level: status === 'applied' ? 'info' : 'warning',
        actor,
        stationId,
        details: { commandId, batchId, op, afterMs: nowMs - sentAtMs },
        texts: { error },
      })
    }
    database.afterCommit(() => {
      events.emit({ type: 'commandChanged', command: after })
    })
  }

  /** Reads a command and settles it in one write. */
  function settleNow(id: string, answer: Parameters<typeof settleCommand>[1], actor: Actor): Promise<void> {
    return database.write(async () => {
      const command = await repository.find(id)
      if (command) await settle(command, answer, actor)
    })
  }

  return {
    settle,
    settleNow,

    /** Handles a station's answer. Answers to unknown commands and to those of other stations are ignored. */
    async takeAck({ id, status, error }: Ack, actor: Actor): Promise<void> {
      const command = await repository.find(id)
      if (command?.stationId !== actor.id || command.op === 'wake' || isSettled(command)) return
      await settleNow(id, { status, error }, actor)
    },

    /** Expires unanswered commands; @returns the next deadline, Unix milliseconds, if there is one */
    async expireDue(): Promise<number | undefined> {
      const dueMs = await repository.nextExpiryMs()
      if (dueMs === undefined || dueMs + ANSWER_GRACE_MS > clock.nowMs())
        return dueMs === undefined ? undefined : dueMs + ANSWER_GRACE_MS
      await database.write(async () => {
        for (const command of await repository.findOverdue(clock.nowMs() - ANSWER_GRACE_MS))
          await settle(command, { status: 'expired' }, systemActor)
      })
      const nextMs = await repository.nextExpiryMs()
      return nextMs === undefined ? undefined : nextMs + ANSWER_GRACE_MS
    },
  }
}

/** A command with a delay gets the default time after the delay. */
function withTimeForDelay(command: CommandRecord, nowMs: number): CommandRecord {
  const { delaySeconds } = command.params
  if (typeof delaySeconds !== 'number') return command
  const dueMs = nowMs + (delaySeconds + DEFAULT_COMMAND_SECONDS) * SECOND_MS
  return { ...command, expiresAtMs: Math.max(command.expiresAtMs, dueMs) }
}
