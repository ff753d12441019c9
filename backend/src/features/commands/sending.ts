import { randomUUID } from 'node:crypto'
import {
  DEFAULT_COMMAND_SECONDS,
  SECOND_MS,
  cancellableOps,
  instantOf,
  type Actor,
  type CommandInput,
} from '@escale/protocol'
import type { Bus } from '../../bus/port.ts'
import type { CommandRecord, StationRow } from '../../db/rows.ts'
import { isSettled } from '../../domain/command.ts'
import { AppError } from '../../errors.ts'
import type { AppEvents } from '../../events.ts'
import type { BasePorts } from '../base-ports.ts'
import { systemActor } from '../logs/index.ts'
import type { StationRepository } from '../stations/index.ts'
import type { SessionService } from '../sessions/index.ts'
import type { Presences } from '../room/index.ts'
import type { OpenCommands } from './open-commands.ts'
import { requireOrder, stationsOf, unknownCommand, type Target } from './orders.ts'
import type { CommandRepository } from './repository.ts'
import type { Settling } from './settling.ts'
import type { Wake } from './wake.ts'

export interface CommandSendingPorts extends BasePorts {
  repository: CommandRepository
  stations: Pick<StationRepository, 'findAll'>
  settling: Pick<Settling, 'settle' | 'settleNow'>
  openCommands: Pick<OpenCommands, 'isAnyAt'>
  sessions: Pick<SessionService, 'change' | 'findRunningAt'>
  presences: Pick<Presences, 'find'>
  bus: Bus
  wake: Wake
  /** Whether the site has other servers, which may have sent a command just now. */
  hasPeers: boolean
  events: AppEvents
}

export type CommandSending = ReturnType<typeof createCommandSending>

/**
 * Sends commands to stations. Each is published once, and again if its station connects before it expires. A station
 * executes each command id once.
 */
export function createCommandSending(ports: CommandSendingPorts) {
  const { database, repository, settling, openCommands, sessions, presences } = ports
  const { bus, wake, hasPeers, journal, events, clock } = ports

  function publish(command: CommandRecord): void {
    const { id, stationId, bootId, op, params, expiresAtMs } = command
    if (op === 'wake') return
    const boot = bootId === undefined ? {} : { bootId }
    void bus.publish('command', stationId, { id, ...boot, op, params, expiresAt: instantOf(expiresAtMs) })
  }

  /** `lock` and `logout` change the session, and so the `desired` document, before the command is published. */
  async function follow({ id: commandId, op, stationId }: CommandRecord, actor: Actor): Promise<void> {
    if (op !== 'lock' && op !== 'logout') return
    const session = await sessions.findRunningAt(stationId)
    if (!session || (op === 'lock' && session.state !== 'active')) return
    const input = op === 'lock' ? ({ type: 'suspend' } as const) : terminate
    // A failure means that the session has already ended, which is the wanted result.
    await sessions.change(session.id, input, actor, { details: { commandId } })
  }

  /**
   * @returns the command to cancel
   * @throws AppError if the station has no such command, or it cannot be cancelled
   */
  async function cancelledBy({ params }: CommandInput, stations: StationRow[]): Promise<CommandRecord> {
    const command = await repository.find(String(params?.['commandId']))
    const isTheirs = stations.length === 1 && command?.stationId === stations[0]?.id
    if (!command || !isTheirs) throw unknownCommand()
    if (isSettled(command) || !cancellableOps.includes(command.op)) throw new AppError('not-cancellable')
    return command
  }

  /** Cancels a command that an offline station has not received. All others are cancelled by the station. */
  async function cancelHere(
    cancelled: CommandRecord,
    cancelling: CommandRecord,
    actor: Actor,
  ): Promise<void> {
    if (cancelled.status !== 'sent' || presences.find(cancelled.stationId)?.online) return
    await settling.settle(cancelled, { status: 'failed', error: 'cancelled' }, actor)
    await settling.settle(cancelling, { status: 'applied' }, actor)
  }

  function recordOf(order: CommandInput, station: StationRow, batchId: string, actor: Actor): CommandRecord {
    const { op, params = {}, expiresInSeconds = DEFAULT_COMMAND_SECONDS } = order
    const nowMs = clock.nowMs()
    const isForOneBoot = op === 'reboot' || op === 'shutdown'
    return {
      id: randomUUID(),
      stationId: station.id,
      batchId,
      op,
      params,
      // If the machine has restarted in the meantime, it must not restart again.
      bootId: (isForOneBoot ? presences.find(station.id)?.bootId : undefined) ?? undefined,
      status: 'sent',
      createdBy: actor.label,
      sentAtMs: nowMs,
      expiresAtMs: nowMs + expiresInSeconds * SECOND_MS,
    }
  }

  /** Sends the Wake-on-LAN packet. The command fails if it cannot be sent. */
  async function sendWake({ id }: CommandRecord, macAddress: string | null): Promise<void> {
    try {
      if (macAddress === null) throw new AppError('mac-address-missing')
      await wake(macAddress)
    } catch (err) {
      const error = err instanceof AppError ? err.code : String(err)
      await settling.settleNow(id, { status: 'failed', error }, systemActor)
    }
  }

  return {
    /** @throws AppError if the command is not allowed or matches no station */
    send(order: CommandInput, target: Target, actor: Actor): Promise<CommandRecord[]> {
      return database.write(async () => {
        requireOrder(order)
        const stations = await stationsOf(target, ports.stations)
        const isNamed = 'stationId' in target || target.stationIds !== undefined
        if (order.op === 'wake' && isNamed && stations.some(({ macAddress }) => macAddress === null))
          throw new AppError('mac-address-missing')
        const cancelled = order.op === 'cancel' ? await cancelledBy(order, stations) : undefined
        const batchId = randomUUID()
        const sent = stations.map((station) => ({
          station,
          command: recordOf(order, station, batchId, actor),
        }))
        await repository.insert(sent.map(({ command }) => command))
        for (const { command, station } of sent) {
          const { id: commandId, op, stationId } = command
          const details = { commandId, batchId, op }
          await journal.append({ action: 'command.sent', actor, stationId, details })
          await follow(command, actor)
          database.afterCommit(() => {
            events.emit({ type: 'commandChanged', command })
            if (op === 'wake') void sendWake(command, station.macAddress)
            else publish(command)
          })
          if (cancelled) await cancelHere(cancelled, command, actor)
        }
        return sent.map(({ command }) => command)
      })
    },

    get: repository.get,
    list: repository.list,

    /** Publishes the open commands of a station again, after it has subscribed. */
    async resend(stationId: string): Promise<void> {
      if (!hasPeers && !openCommands.isAnyAt(stationId)) return
      for (const command of await repository.findOpenOf(stationId, clock.nowMs())) publish(command)
    },
  }
}

const terminate = { type: 'terminate', reason: 'terminated' } as const
