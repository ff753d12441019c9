import { instantOf, type Station } from '@escale/protocol'
import { withoutNulls } from '../../db/nulls.ts'
import { memoise } from '../../domain/memoise.ts'
import type { DocumentProgress, RoomStation } from '../../domain/station.ts'

/** A station as REST and the live screens show it. Cached until the station changes. */
export const toStation = memoise(makeStation)

export const stationJson = memoise((station: Station) => JSON.stringify(station))

function makeStation({ record, presence, state, running, document, conflictAtMs }: RoomStation): Station {
  const { id, label, location, ipAddress, macAddress } = withoutNulls(record)
  const { lastSeenIp, agentVersion, os, metrics, lastHeartbeatAtMs } = withoutNulls(presence)
  return {
    id,
    label,
    location,
    ipAddress,
    macAddress,
    lastSeenIp,
    state,
    online: presence.online,
    lastHeartbeatAt: lastHeartbeatAtMs === undefined ? undefined : instantOf(lastHeartbeatAtMs),
    agentVersion,
    os,
    metrics,
    activeSessionId: running?.id,
    conflictAt: conflictAtMs === undefined ? undefined : instantOf(conflictAtMs),
    document: document && toDocument(document),
    createdAt: instantOf(record.createdAtMs),
    updatedAt: instantOf(record.updatedAtMs),
  }
}

function toDocument({ version, actions, askedAtMs, appliedAtMs }: DocumentProgress): Station['document'] {
  const applied = appliedAtMs === undefined ? {} : { appliedAt: instantOf(appliedAtMs) }
  return { version, actions: [...actions], askedAt: instantOf(askedAtMs), ...applied }
}
