import { instantOf, type Station, type StationMetrics } from '@escale/protocol'
import { withoutNulls } from '../../db/nulls.ts'
import type { DocumentProgress } from '../desired/index.ts'
import type { StationPresenceRow, StationViewRow } from '../../db/rows.ts'

/** A station as REST and the live screens show it; `live` has figures newer than the database. */
export function toStation(
  row: StationViewRow,
  live?: Readonly<StationPresenceRow>,
  progress?: DocumentProgress,
  conflictAtMs?: number,
): Station {
  const { id, label, location, ipAddress, macAddress, state, activeSessionId } = withoutNulls(row)
  const figures = withoutNulls(live ?? row)
  const { lastSeenIp, agentVersion, os, metrics, lastHeartbeatAtMs } = figures
  return {
    id,
    label,
    location,
    ipAddress,
    macAddress,
    lastSeenIp,
    state,
    online: row.online,
    lastHeartbeatAt: lastHeartbeatAtMs === undefined ? undefined : instantOf(lastHeartbeatAtMs),
    agentVersion,
    os,
    metrics: metrics === undefined ? undefined : (JSON.parse(metrics) as StationMetrics),
    activeSessionId,
    conflictAt: conflictAtMs === undefined ? undefined : instantOf(conflictAtMs),
    document: progress && toDocument(progress),
    createdAt: instantOf(row.createdAtMs),
    updatedAt: instantOf(row.updatedAtMs),
  }
}

function toDocument({ version, actions, askedAtMs, appliedAtMs }: DocumentProgress): Station['document'] {
  const applied = appliedAtMs === undefined ? {} : { appliedAt: instantOf(appliedAtMs) }
  return { version, actions: [...actions], askedAt: instantOf(askedAtMs), ...applied }
}
