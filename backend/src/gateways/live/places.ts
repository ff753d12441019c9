/** Connections at once: a desk has one for each tab that is open. */
const MOST_PER_OPERATOR = 64
/** Some desks may share an address. */
const MOST_PER_ADDRESS = 256

export type LivePlaces = ReturnType<typeof createLivePlaces>

/** Counts the live connections of each operator and each address, so that nobody takes all of them. */
export function createLivePlaces() {
  const taken = new Map<string, number>()

  function take(key: string, most: number): (() => void) | undefined {
    const before = taken.get(key) ?? 0
    if (before >= most) return undefined
    taken.set(key, before + 1)
    return () => {
      const left = (taken.get(key) ?? 1) - 1
      if (left === 0) taken.delete(key)
      else taken.set(key, left)
    }
  }

  return {
    /** @returns what gives the place back, once; undefined when there is none left */
    ofAddress: (group: string) => take(`address ${group}`, MOST_PER_ADDRESS),
    /** The same for an operator. */
    ofOperator: (id: string) => take(`operator ${id}`, MOST_PER_OPERATOR),
  }
}
