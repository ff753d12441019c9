import type { AppEvents, EventOrigin } from '../../events.ts'

/** Tells which stations of the room look different: once for one change, however many transitions it took. */
export function createTelling(events: AppEvents, isThere: (stationId: string) => boolean) {
  const changed = new Map<string, { isUrgent: boolean; origin: EventOrigin }>()
  let origin: EventOrigin = 'here'

  function tell(): void {
    const told = [...changed]
    changed.clear()
    for (const [stationId, { isUrgent, origin }] of told) {
      if (isThere(stationId)) events.emit({ type: 'stationChanged', stationId, isUrgent }, origin)
    }
  }

  return {
    note(stationId: string, isUrgent: boolean): void {
      if (changed.size === 0) queueMicrotask(tell)
      const before = changed.get(stationId)
      changed.set(stationId, {
        isUrgent: isUrgent || before?.isUrgent === true,
        origin: before?.origin === 'here' ? 'here' : origin,
      })
    },

    /** What changes in `work`, which awaits nothing, was committed there. */
    as(from: EventOrigin, work: () => void): void {
      origin = from
      try {
        work()
      } finally {
        origin = 'here'
      }
    },

    /** Nobody needs to hear of what has changed just now. */
    forget(): void {
      changed.clear()
    },
  }
}
