import {
  SessionEndedDetails,
  unixMsOf,
  type Actor,
  type Presence,
  type Reported,
  type StationEvent,
} from '@escale/protocol'
import type { Received, Verdict } from '@escale/broker'
import { Check } from 'typebox/value'
import type { CommandService } from '../../features/commands/index.ts'
import type { Database } from '../../db/database.ts'
import type { DesiredDocuments } from '../../features/desired/index.ts'
import type { SessionCredits } from '../../features/sessions/index.ts'
import type { Rates } from '../../features/rates/index.ts'
import type { Machines, Presences } from '../../features/room/index.ts'
import type { StationMessages } from './repository.ts'
import type { AgentStarts } from './agent-starts.ts'
import type { ReportedEnds } from './reported-ends.ts'
import type { SeatReports } from './seat-reports.ts'
import { createRequests, type RequestPorts } from './requests.ts'

export interface IntakePorts extends RequestPorts {
  database: Database
  messages: StationMessages
  presences: Presences
  desired: DesiredDocuments
  commands: Pick<CommandService, 'takeAck'>
  credits: Pick<SessionCredits, 'noteOutage'>
  agentStarts: Pick<AgentStarts, 'take'>
  reportedEnds: Pick<ReportedEnds, 'take'>
  seatReports: SeatReports
  machines: Pick<Machines, 'hear'>
  rates: Pick<Rates, 'allows' | 'turn' | 'retryAfterSeconds'>
}

/**
 * Handles the messages of stations. Their effects are committed before the message is acknowledged. Requests are
 * answered and not forwarded to other clients.
 */
export function createStationIntake(ports: IntakePorts) {
  const { database, messages, sessions, presences, desired, commands, credits } = ports
  const { agentStarts, reportedEnds, seatReports, machines, rates, journal, clock } = ports
  const requests = createRequests(ports)
  /** By station, the start of an outage that is not recorded yet. Kept for a retry if recording it fails. */
  const outages = new Map<string, number>()
  /** By station, the version when it was locked. The visitor has not seen documents that were applied later. */
  const openVersions = new Map<string, number>()

  /** The newest version that a station applied while a visitor could use it. */
  function versionWhileOpen(stationId: string): number | undefined {
    const { reportedState, reportedVersion } = presences.find(stationId) ?? {}
    const isOpen = reportedState === 'active' || reportedState === 'suspended'
    return (isOpen ? reportedVersion : undefined) ?? openVersions.get(stationId)
  }

  /** Each event counts once for its station, boot id and number. */
  async function takeEvent(event: StationEvent, actor: Actor): Promise<void> {
    const { bootId, seq, at, kind, details } = event
    const stationId = actor.id
    if (kind === 'fault' && !rates.allows(stationId, 'fault')) return
    await rates.turn(stationId, 'event')
    await database.write(async () => {
      const lastSeq = await messages.lastSeq(stationId, bootId)
      if (!(await messages.saveEvent({ stationId, bootId, seq, atMs: clock.nowMs() }))) return
      if (lastSeq !== undefined && seq > lastSeq + 1 && rates.allows(stationId, 'event_gap')) {
        const missed = { bootId, fromSeq: lastSeq + 1, toSeq: seq - 1 }
        await journal.append({
          action: 'station.events_missed',
          level: 'warning',
          ...{ actor, stationId, details: missed },
        })
      }
      if (kind === 'session_ended' && Check(SessionEndedDetails, details)) {
        const { sessionId, reason = 'expired' } = details
        const reported = presences.find(stationId)?.reportedVersion ?? undefined
        const stated = details.version ?? reported ?? Number.MAX_SAFE_INTEGER
        // The station has seen every version that it reported during the session, even if its event has a lower one.
        const version = Math.max(stated, versionWhileOpen(stationId) ?? 0)
        await sessions.endByStation(sessionId, { atMs: unixMsOf(at), reason, version }, actor)
      }
      if (kind === 'fault') await seatReports.takeFault(details, actor)
      if (kind === 'cleaned') await seatReports.takeCleaned(details, actor)
    })
  }

  /** If a station comes back with another boot id, it was down since its last message. */
  async function takePresence(presence: Presence, actor: Actor, ip: string): Promise<Verdict> {
    const { bootId, lastHeardAtMs } = presences.find(actor.id) ?? {}
    const isRestart = presence.online && bootId && bootId !== presence.bootId
    if (isRestart && lastHeardAtMs) outages.set(actor.id, lastHeardAtMs)
    const wasOnline = presences.find(actor.id)?.online === true
    const isNewest = await presences.takePresence(presence, actor, ip)
    if (isNewest && presence.online) await agentStarts.take(actor.id, presence.bootId, wasOnline)
    const sinceMs = outages.get(actor.id)
    if (isNewest && sinceMs !== undefined) await credits.noteOutage(actor.id, sinceMs, actor)
    outages.delete(actor.id)
    return isNewest ? 'route' : 'drop'
  }

  /** What a station says to have applied is believed where a server of ours can have said it. */
  async function takeReported(reported: Reported, actor: Actor, ip: string): Promise<Verdict> {
    await presences.noteContact(actor, ip)
    if (!(await desired.takeReported(actor.id, reported.version))) return 'drop'
    const openVersion = versionWhileOpen(actor.id)
    if (openVersion !== undefined) openVersions.set(actor.id, openVersion)
    await presences.takeReported(reported, actor, ip)
    reportedEnds.take(reported, actor)
    return 'route'
  }

  return function receive(message: Received): Verdict | Promise<Verdict> {
    const { party: id, ip, principal } = message
    const actor: Actor = { type: 'station', id, label: principal?.label ?? id }
    async function contacted(verdict: Verdict, take: () => Promise<unknown>): Promise<Verdict> {
      await presences.noteContact(actor, ip)
      await take()
      return verdict
    }
    switch (message.name) {
      case 'heartbeat': {
        machines.hear(id, message.payload.bootId)
        const change = presences.takeHeartbeat(message.payload, actor, ip)
        return change ? change.then(() => 'route' as const) : 'route'
      }
      case 'presence':
        // A newer connection of this client exists, so the Last Will of the older one is wrong.
        return message.isSuperseded ? 'drop' : takePresence(message.payload, actor, ip)
      case 'reported':
        return takeReported(message.payload, actor, ip)
      case 'request':
        return contacted('drop', () => requests.take(message.payload, actor, ip))
      case 'events':
        return contacted('route', () => takeEvent(message.payload, actor))
      case 'ack':
        return contacted('route', () => commands.takeAck(message.payload, actor))
      default:
        return 'drop'
    }
  }
}
