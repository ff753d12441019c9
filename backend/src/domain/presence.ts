import type { Presence } from '@escale/protocol'
import type { StationPresence } from './station.ts'

/** A presence that is further behind is accepted: the known number must then be wrong. */
const MOST_BEHIND = 10_000

/**
 * Whether a presence is about an older connection than the newest one known, such as the Last Will of an earlier start
 * of the agent. Such a presence says nothing about the station now.
 */
export function isStalePresence(
  known: Pick<StationPresence, 'bootId' | 'connectionSeq'>,
  presence: Pick<Presence, 'online' | 'bootId' | 'connectionSeq'>,
) {
  if (known.bootId === null) return false
  if (known.bootId !== presence.bootId) return !presence.online
  if (known.connectionSeq === null || presence.connectionSeq === undefined) return false
  const behind = known.connectionSeq - presence.connectionSeq
  return behind > 0 && behind <= MOST_BEHIND
}
