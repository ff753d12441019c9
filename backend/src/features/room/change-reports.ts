import type { AppEvents, EventOrigin } from '../../events.ts'

/** Reports stations that have changed: once for one change, however many steps it took. */
export function createChangeReports(events: AppEvents, isThere: (stationId: string) => boolean) {
  const changed = new Map<string, { isUrgent: boolean; origin: EventOrigin }>()
  let origin: EventOrigin = 'here'

  function report(): void {
    const reported = [...changed]
    changed.clear()
    for (const [stationId, { isUrgent, origin }] of reported) {
      if (isThere(stationId)) events.emit({ type: 'stationChanged', stationId, isUrgent }, origin)
    }
  }

  return {
    note(stationId: string, isUrgent: boolean): void {
      if (changed.size === 0) queueMicrotask(report)
      const before = changed.get(stationId)
      changed.set(stationId, {
        isUrgent: isUrgent || before?.isUrgent === true,
        origin: before?.origin === 'here' ? 'here' : origin,
      })
    },

    /** The changes made in `work`, which awaits nothing, were committed together. */
    as(from: EventOrigin, work: () => void): void {
      origin = from
      try {
        work()
      } finally {
        origin = 'here'
      }
    },

    /** The latest changes need no report. */
    forget(): void {
      changed.clear()
    },
  }
}
