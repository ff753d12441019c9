import type { LogAction } from '@escale/protocol'
import type { AppEvents } from '../../events.ts'

/** The newest document of a station: what it is for, when it was committed, when the station reported it. */
export interface DocumentProgress {
  version: number
  actions: readonly LogAction[]
  askedAtMs: number
  appliedAtMs?: number
}

/**
 * How far each station's newest document has come, in memory: nothing of it is truth that a restart may not
 * forget. Fed by events, so that every server knows it.
 */
export function createDocumentProgress(events: AppEvents) {
  const newest = new Map<string, DocumentProgress>()
  const reported = new Map<string, { version: number; atMs: number }>()

  events.subscribe((event) => {
    if (event.type === 'desiredChanged') {
      const { stationId, version, actions, askedAtMs } = event
      const seen = reported.get(stationId)
      const applied = seen && seen.version >= version ? { appliedAtMs: seen.atMs } : {}
      newest.set(stationId, { version, actions, askedAtMs, ...applied })
    }
    if (event.type === 'desiredReported') {
      const { stationId, version, atMs } = event
      reported.set(stationId, { version, atMs })
      const known = newest.get(stationId)
      if (known && known.appliedAtMs === undefined && version >= known.version)
        newest.set(stationId, { ...known, appliedAtMs: atMs })
    }
    if (event.type === 'stationRemoved') {
      newest.delete(event.stationId)
      reported.delete(event.stationId)
    }
  })

  return {
    find: (stationId: string): DocumentProgress | undefined => newest.get(stationId),
    /** Whether a station has yet to report its newest document, and this version is it. */
    isNews: (stationId: string, version: number): boolean => {
      const known = newest.get(stationId)
      return known !== undefined && known.appliedAtMs === undefined && version >= known.version
    },
  }
}

export type FindDocument = ReturnType<typeof createDocumentProgress>['find']
