import { randomUUID } from 'node:crypto'
import { MINUTE_MS, SECOND_MS, type Actor, type StaffCall } from '@escale/protocol'
import type { SessionRecord, StaffCallRow } from '../../db/rows.ts'
import { AppError } from '../../errors.ts'
import type { AppEvent, AppEvents } from '../../events.ts'
import type { BasePorts } from '../base-ports.ts'
import type { DesiredDocuments } from '../desired/index.ts'
import { systemActor } from '../logs/index.ts'
import type { StaffCallRepository } from './repository.ts'
import { toClosedCall, toStaffCall } from './view.ts'

/** A call repeated within this time counts as the same call and gets no new journal record. */
const SAME_CALL_MS = 10 * SECOND_MS
/** An older call was surely answered but not closed, because no visitor waits this long. */
const FORGOTTEN_MS = 12 * 60 * MINUTE_MS

/** The change is no action of an operator, so screens show no action in progress. */
const NO_ACTIONS = [] as const

export interface StaffCallServicePorts extends BasePorts {
  repository: StaffCallRepository
  desired: Pick<DesiredDocuments, 'change'>
  /** The session that is active or suspended at a station. */
  runningSessionAt(stationId: string): Pick<SessionRecord, 'id'> | undefined
  events: AppEvents
}

export type StaffCalls = ReturnType<typeof createStaffCallService>

/**
 * Visitors' calls for help. A station has at most one open call; a second call renews it. A call ends when an operator
 * closes it, with its session or its station, or after twelve hours. Its row is then deleted with the visitor's text.
 * The journal keeps a record of the call.
 * Source: docs/adr/0030-a-call-is-a-row-while-it-is-open.md
 */
export function createStaffCallService(ports: StaffCallServicePorts) {
  const { database, repository, desired, runningSessionAt, journal, events, clock } = ports
  /** Open calls as the screens show them. */
  const shown = new Map<string, StaffCall>()

  events.subscribe((event) => {
    if (event.type !== 'callChanged') return
    const { call } = event
    if (call.state === 'closed') shown.delete(call.id)
    else shown.set(call.id, call)
  })

  function announce(call: StaffCall): void {
    database.afterCommit(() => events.emit({ type: 'callChanged', call }))
  }

  /** An entry of the journal about a call. */
  const about = ({ id: callId, stationId, sessionId }: StaffCallRow, actor: Actor, more: object = {}) => ({
    actor,
    stationId,
    sessionId: sessionId ?? undefined,
    details: { callId, ...more },
  })

  async function end(call: StaffCallRow, actor: Actor, cause: string): Promise<void> {
    await repository.remove(call.id)
    await journal.append({ action: 'station.call_closed', ...about(call, actor, { cause }) })
    announce(toClosedCall(call))
  }

  return {
    /** A visitor calls for help at a station. */
    call(stationId: string, typed: string | undefined, actor: Actor): Promise<void> {
      const reason = typed?.trim() || undefined
      return database.write(async () => {
        const nowMs = clock.nowMs()
        const before = await repository.findAt(stationId)
        const isRepeated = before?.takenAtMs === null && nowMs - before.renewedAtMs < SAME_CALL_MS
        if (isRepeated && (reason === undefined || reason === before.reason)) return
        const call: StaffCallRow = {
          id: before?.id ?? randomUUID(),
          stationId,
          sessionId: runningSessionAt(stationId)?.id ?? null,
          reason: reason ?? before?.reason ?? null,
          times: (before?.times ?? 0) + (isRepeated ? 0 : 1),
          calledAtMs: before?.calledAtMs ?? nowMs,
          renewedAtMs: isRepeated ? before.renewedAtMs : nowMs,
          // The operator who took the call has not come, so all operators can take it again.
          takenAtMs: null,
          takenById: null,
          takenBy: null,
        }
        await (before ? repository.update(call) : repository.insert(call))
        announce(toStaffCall(call))
        if (isRepeated) return
        const entry = about(call, actor, { times: call.times })
        await journal.append({ action: 'station.staff_called', level: 'warning', ...entry })
        await desired.change(stationId, NO_ACTIONS)
      })
    },

    list: repository.list,

    /** @throws AppError `call-taken` if another operator has taken it */
    take(id: string, actor: Actor): Promise<StaffCall> {
      return database.write(async () => {
        const before = await repository.get(id)
        if (before.takenById === actor.id) return toStaffCall(before)
        if (before.takenBy !== null) throw new AppError('call-taken', { detail: takenBy(before.takenBy) })
        const call = { ...before, takenById: actor.id, takenBy: actor.label, takenAtMs: clock.nowMs() }
        await repository.update(call)
        await journal.append({ action: 'station.call_taken', ...about(call, actor) })
        await desired.change(call.stationId, ['station.call_taken'])
        announce(toStaffCall(call))
        return toStaffCall(call)
      })
    },

    /** Any operator may close a call, not only the one who took it. */
    close(id: string, actor: Actor): Promise<StaffCall> {
      return database.write(async () => {
        const call = await repository.get(id)
        await end(call, actor, 'closed')
        await desired.change(call.stationId, NO_ACTIONS)
        return toClosedCall(call)
      })
    },

    /** Call it in the write that ends sessions, before the stations' documents are created. */
    async endWithSessions(ended: readonly { sessionId: string; actor: Actor }[]): Promise<void> {
      const actors = new Map(ended.map(({ sessionId, actor }) => [sessionId, actor]))
      for (const call of await repository.findOfSessions([...actors.keys()]))
        await end(call, actors.get(call.sessionId ?? '') ?? systemActor, 'session-ended')
    },

    /** Call it in the write that removes a station. */
    async endWithStation(stationId: string, actor: Actor): Promise<void> {
      const call = await repository.findAt(stationId)
      if (call) await end(call, actor, 'station-deleted')
    },

    /** Closes old calls that no operator closed. */
    endForgotten(): Promise<void> {
      return database.write(async () => {
        for (const call of await repository.findRenewedBefore(clock.nowMs() - FORGOTTEN_MS)) {
          await end(call, systemActor, 'forgotten')
          await desired.change(call.stationId, NO_ACTIONS)
        }
      })
    },

    /** Changes whose events did not reach this server, for example from another server. */
    async missed(): Promise<AppEvent[]> {
      const open = new Map((await repository.all()).map((row) => [row.id, toStaffCall(row)]))
      const closed = [...shown.values()].filter(({ id }) => !open.has(id))
      const changed = [...open.values()].filter(
        (call) => JSON.stringify(call) !== JSON.stringify(shown.get(call.id)),
      )
      return [...closed.map((call) => ({ ...call, state: 'closed' as const })), ...changed].map((call) => ({
        type: 'callChanged',
        call,
      }))
    },
  }
}

const takenBy = (name: string) => ({
  fr: `Cet appel est déjà pris par ${name}.`,
  en: `${name} has taken this call already.`,
})
