import { instantOf, isImplausibleVersion, type Desired, type LogAction } from '@escale/protocol'
import type { Logger } from 'pino'
import type { Bus } from '../../bus/port.ts'
import type { Clock } from '../../clock.ts'
import type { Database } from '../../db/database.ts'
import { endsAtMsOf, sessionTimeAt } from '../../domain/session.ts'
import { desiredStateOf } from '../../domain/station.ts'
import type { SessionRecord, StationRow } from '../../db/rows.ts'
import type { AppEvents } from '../../events.ts'
import type { Rates } from '../rates/index.ts'
import type { Machines, RoomStore } from '../room/index.ts'
import { closingThatEnds, type Settings } from '../settings/index.ts'
import { runningSessionsAt, type CallState, type DocumentSources, type RunningSession } from './sources.ts'

/** Maximum number of ids in one query. */
const READ_AT_ONCE = 500

export interface DocumentChange {
  stationId: string
  /** Why the document changes. */
  actions: readonly LogAction[]
  /** The active or suspended session at the station, if the caller has just written it; else it is read. */
  known?: { session: SessionRecord | undefined } | undefined
  atLeastVersion?: number
}

export interface DesiredDocuments {
  /**
   * Allocates the station's next version in the current write. The document is published after the commit.
   * @param actions why the document changes
   * @returns the version, or undefined if the station does not exist
   */
  change(stationId: string, actions: readonly LogAction[]): Promise<number | undefined>
  /** Allocates the next versions of several stations; @returns them by station */
  changeAll(changes: readonly DocumentChange[]): Promise<Map<string, number>>
  /**
   * Handles the version that a station has applied. If it is higher than ours (after a restore of the database), the
   * station gets an even higher version. An impossible version is ignored.
   * @returns whether the version is accepted
   */
  takeReported(stationId: string, version: number): Promise<boolean>
  /** Lowers impossible versions, because their stations would ignore every document. */
  repair(): Promise<void>
  /** Publishes the current document again with its remaining time of now. Its version stays the same. */
  refresh(stationId: string): Promise<void>
  /** Publishes every document that is newer than the published one. At the start these are all documents. */
  publishAll(): Promise<void>
}

export interface DocumentPorts extends DocumentSources {
  database: Database
  settings: Settings
  bus: Pick<Bus, 'publish'>
  rates: Pick<Rates, 'allows' | 'drop'>
  machines: Pick<Machines, 'isInConflict'>
  room: Pick<RoomStore, 'station'>
  /** Whether the site has other servers, which may have changed a document just now. */
  hasPeers: boolean
  events: AppEvents
  clock: Clock
  log: Logger
}

/** The `desired` documents: what each station should show and allow. Each has a version and is retained on the bus. */
export function createDesiredDocuments(ports: DocumentPorts): DesiredDocuments {
  const { database, stations, logs, settings, bus, rates, machines, room, hasPeers, events, clock, log } =
    ports
  /** By station, the parts of the last published document that the room does not contain. */
  const published = new Map<string, Pick<Desired, 'version' | 'staffCall'>>()
  events.subscribe((event) => {
    if (event.type === 'stationRemoved') published.delete(event.stationId)
  })

  async function documentsOf(stationIds: string[]): Promise<Map<string, Desired>> {
    const found = await stations.findAll({ id: stationIds })
    const running = await runningSessionsAt(ports, stationIds)
    const calls = await ports.calls.statesAt(stationIds)
    return new Map(
      found.map((station) => [
        station.id,
        documentOf(station, running.get(station.id), calls.get(station.id)),
      ]),
    )
  }

  function documentOf(
    station: StationRow,
    running: RunningSession | undefined,
    call: CallState | null | undefined,
  ): Desired {
    const state = desiredStateOf(station.isMaintenance, running?.session.state)
    const nowMs = clock.nowMs()
    const { desiredVersion: version, label } = station
    const conflict = machines.isInConflict(station.id) ? { conflict: true } : {}
    const staffCall = call && { staffCall: { state: call } }
    const sent = { version, label, state, ...conflict, ...staffCall, sentAt: instantOf(nowMs) }
    if (!running) return sent
    const { session, firstName = '' } = running
    const endsAtMs = endsAtMsOf(session)
    const isCut = endsAtMs !== undefined && !session.mayOutliveClosing
    const closesAtMs = isCut ? closingThatEnds(settings, endsAtMs, nowMs) : undefined
    return {
      ...sent,
      session: {
        id: session.id,
        displayName: firstName,
        grantedSeconds: session.grantedSeconds,
        remainingSeconds: sessionTimeAt(session, nowMs).remainingSeconds,
        ...(endsAtMs === undefined ? {} : { endsAt: instantOf(endsAtMs) }),
        ...(closesAtMs === undefined ? {} : { closesAt: instantOf(closesAtMs) }),
        ...(session.bootId === undefined ? {} : { bootId: session.bootId }),
      },
    }
  }

  async function refresh(stationIds: string[]): Promise<void> {
    for (const [stationId, document] of await documentsOf(stationIds)) {
      // A document that was read before a commit must not replace the newer one.
      if (document.version >= publishedVersion(stationId)) await publish(stationId, document)
    }
  }

  /** The current document from memory. undefined if the database must be read, for example during a session. */
  function documentInRoom(stationId: string): Desired | undefined {
    const station = room.station(stationId)
    const { version, staffCall } = published.get(stationId) ?? {}
    // The room does not contain the visitor's name, and other servers may have changed something.
    if (hasPeers || !station || station.running || station.record.desiredVersion !== version) return undefined
    return documentOf(station.record, undefined, staffCall?.state)
  }

  const publishedVersion = (stationId: string) => published.get(stationId)?.version ?? -1

  function publish(stationId: string, document: Desired): Promise<void> {
    const { version, staffCall } = document
    published.set(stationId, { version, staffCall })
    return bus.publish('desired', stationId, document)
  }

  async function changeAll(changes: readonly DocumentChange[]): Promise<Map<string, number>> {
    const askedAtMs = clock.nowMs()
    // Of several changes of one station the last counts, with the actions of all.
    const byStation = new Map<string, DocumentChange>()
    for (const change of changes) {
      const actions = [...(byStation.get(change.stationId)?.actions ?? []), ...change.actions]
      byStation.set(change.stationId, { ...change, actions })
    }
    const raises = [...byStation.values()].map(({ stationId, atLeastVersion = 0 }) => {
      return { stationId, atLeast: Math.max(atLeastVersion, askedAtMs) }
    })
    const versions = new Map<string, number>()
    for (const station of await stations.raiseVersions(raises)) {
      const { id: stationId, call, firstName, desiredVersion: version } = station
      const { known, actions = [] } = byStation.get(stationId) ?? {}
      const running = known
        ? known.session && { session: known.session, firstName: firstName ?? undefined }
        : (await runningSessionsAt(ports, [stationId])).get(stationId)
      const document = documentOf(station, running, call)
      versions.set(stationId, version)
      database.afterCommit(() => {
        void publish(stationId, document)
        events.emit({ type: 'desiredChanged', stationId, version, actions, askedAtMs: clock.nowMs() })
      })
    }
    return versions
  }

  return {
    changeAll,
    change: async (stationId, actions) => (await changeAll([{ stationId, actions }])).get(stationId),
    async takeReported(stationId, version) {
      const isHigher = version > publishedVersion(stationId)
      const station = isHigher ? await stations.find(stationId) : undefined
      if (station && isImplausibleVersion(version, station.desiredVersion, clock.nowMs())) {
        rates.drop(stationId, 'version')
        return false
      }
      events.emit({ type: 'desiredReported', stationId, version, atMs: clock.nowMs() })
      if (!station || version <= station.desiredVersion) return true
      // Each report can raise the version by up to a day, so their rate is limited.
      if (rates.allows(stationId, 'version'))
        await database.write(() => changeAll([{ stationId, actions: [], atLeastVersion: version + 1 }]))
      return true
    },
    async repair() {
      // The clock may be behind. Versions of earlier records must still be accepted.
      const newestMs = Math.max(clock.nowMs(), (await logs.last())?.atMs ?? 0)
      const repaired = await database.write(() => stations.repairVersions(newestMs))
      for (const { id: stationId, desiredVersion: version } of repaired)
        log.warn({ stationId, version, repairedVersion: newestMs }, 'version of a document repaired')
    },
    refresh(stationId) {
      const document = documentInRoom(stationId)
      return document ? publish(stationId, document) : refresh([stationId])
    },
    async publishAll() {
      const newer = (await stations.findAll()).filter(
        (station) => station.desiredVersion > publishedVersion(station.id),
      )
      for (let from = 0; from < newer.length; from += READ_AT_ONCE)
        await refresh(newer.slice(from, from + READ_AT_ONCE).map(({ id }) => id))
    },
  }
}
