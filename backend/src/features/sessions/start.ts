import type { Actor, ErrorCode } from '@escale/protocol'
import type { Clock } from '../../clock.ts'
import type { SessionRecord, StationRow } from '../../db/rows.ts'
import type { SeenVersions } from '../../db/versions.ts'
import { failure, success, type Result } from '../../errors.ts'
import type { Lookup } from '../feature.ts'
import type { Machines, RoomStore } from '../room/index.ts'
import { siteOpeningAt, type Settings } from '../settings/index.ts'
import { VALIDATION_MS, wrongStation } from './codes.ts'
import type { SessionRepository } from './repository.ts'
import type { SessionWriting } from './writing.ts'

export interface SessionStartPorts {
  repository: SessionRepository
  stations: Lookup<StationRow>
  machines: Pick<Machines, 'bootIdOf' | 'isInConflict'>
  room: Pick<RoomStore, 'station' | 'runningAt' | 'runningOf'>
  /** Whether other servers may have changed a station just now. */
  hasPeers: boolean
  settings: Settings
  clock: Clock
}

/** How sessions start. */
export function createSessionStart(
  { repository, stations, machines, room, hasPeers, settings, clock }: SessionStartPorts,
  { onSession, tryStep }: SessionWriting,
) {
  /** Starts a pending session at a station. Of several callers, only one succeeds. */
  function start(
    id: string,
    stationId: string | undefined,
    actor: Actor,
    expectedVersion?: SeenVersions,
  ): Promise<Result<SessionRecord>> {
    return onSession(id, expectedVersion, async (before, isFromRoom) => {
      const wanted = actor.type === 'station' ? actor.id : stationId
      const target = before.stationId ?? wanted
      if (target === undefined) return failure('station-required')
      if (wanted !== undefined && wanted !== target) return wrongStation(stations, target)
      if (before.state === 'active') return success(before)
      const isWaiting = before.state === 'pending'
      const refusal = isWaiting ? await refusalToStart(before, target, actor, isFromRoom) : undefined
      if (refusal) return failure(refusal)
      return tryStep(before, { type: 'start' }, actor, {
        patch: { stationId: target, bootId: machines.bootIdOf(target) },
      })
    })
  }

  async function refusalToStart(
    session: SessionRecord,
    stationId: string,
    actor: Actor,
    isFromRoom: boolean,
  ): Promise<ErrorCode | undefined> {
    if (actor.type === 'station') {
      const bootId = machines.bootIdOf(stationId)
      const sinceMs = clock.nowMs() - VALIDATION_MS
      const isValidated = await repository.isValidated(session.id, { stationId, bootId, sinceMs })
      if (!isValidated) return 'code-not-validated'
    }
    if (!session.mayOutliveClosing && !siteOpeningAt(settings, clock.nowMs()).isOpen) return 'site-closed'
    const isStationInRoom = isFromRoom && !hasPeers
    const station = isStationInRoom ? room.station(stationId)?.record : await stations.find(stationId)
    if (!station) return 'station-required'
    if (machines.isInConflict(stationId)) return 'station-conflict'
    if (station.isMaintenance) return 'station-maintenance'
    return (await isTaken(stationId, session.userId, isFromRoom)) ? 'session-active' : undefined
  }

  /** Conflicts with changes of other servers that are not in the room yet are refused by unique indexes. */
  async function isTaken(
    stationId: string,
    userId: string | undefined,
    isFromRoom: boolean,
  ): Promise<boolean> {
    if (isFromRoom)
      return Boolean(room.runningAt(stationId) ?? (userId !== undefined && room.runningOf(userId)))
    if (await repository.findRunningAt(stationId)) return true
    return userId !== undefined && (await repository.findRunningOf(userId)) !== undefined
  }

  return { start }
}
