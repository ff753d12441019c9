import type { Presence } from '@escale/protocol'

/** A presence that is further behind is accepted all the same: the newest number known is then not to be believed. */
const MOST_BEHIND = 10_000

/** The newest connection that a station announced. */
export interface KnownConnection {
  bootId: string | null
  connectionSeq: number | null
}

/**
 * Whether a presence speaks of a connection older than the newest one known: the Last Will of a boot or a
 * connection that has been followed by another says nothing about today.
 */
export function isStalePresence(
  known: KnownConnection,
  presence: Pick<Presence, 'online' | 'bootId' | 'connectionSeq'>,
) {
  if (known.bootId === null) return false
  if (known.bootId !== presence.bootId) return !presence.online
  if (known.connectionSeq === null || presence.connectionSeq === undefined) return false
  const behind = known.connectionSeq - presence.connectionSeq
  return behind > 0 && behind <= MOST_BEHIND
}
