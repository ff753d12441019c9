export type Places = ReturnType<typeof createPlaces>

/** Limits how many users of something there are at the same time, in total and for each name. */
export function createPlaces() {
  const taken = new Map<string, number>()

  function change(key: string, by: 1 | -1): void {
    const count = (taken.get(key) ?? 0) + by
    if (count === 0) taken.delete(key)
    else taken.set(key, count)
  }

  return {
    /**
     * Takes one place for each name, or no place at all.
     * @param limits name -> maximum number of places
     * @returns a function that frees the places; undefined if one of the names has no place left
     */
    take(limits: Readonly<Record<string, number>>): (() => void) | undefined {
      const keys = Object.keys(limits)
      if (keys.some((key) => (taken.get(key) ?? 0) >= (limits[key] ?? 0))) return undefined
      for (const key of keys) change(key, 1)
      let isTaken = true
      return () => {
        if (!isTaken) return
        isTaken = false
        for (const key of keys) change(key, -1)
      }
    },
  }
}
