import { createPlaces } from '../domain/places.ts'

/** From where a password comes. */
export interface Caller {
  /** What counts as one address. */
  group: string
  /** An operator has signed in from there lately. */
  isKnown: boolean
}

/** Waiting or at work, over all addresses; one more for those that are known. */
const MOST_PLACES = 4
/** Of them for one address: two people at one desk, and never everybody's places. */
const MOST_PER_ADDRESS = 2

interface Waiting {
  group: string
  start(): void
}

/**
 * Decides whose password is checked, and when. A check takes half a second of a processor, so nobody may take all
 * places: one address has few of them, and one place is for addresses from which an operator has signed in lately.
 * Those addresses wait in one line and all others in another. Each line has one check at a time, and lets another
 * address go first where the same one has just had its turn.
 */
export function createPasswordPlaces() {
  const known = createLane()
  const strangers = createLane()
  const places = createPlaces()

  return {
    /** Runs `work` once it is its turn. @returns undefined, at once, when no place is left for the caller */
    async judge<T>({ group, isKnown }: Caller, work: () => Promise<T>): Promise<T | undefined> {
      const most = MOST_PLACES + (isKnown ? 1 : 0)
      const leave = places.take({ everybody: most, [`address ${group}`]: MOST_PER_ADDRESS })
      if (!leave) return undefined
      try {
        return await (isKnown ? known : strangers).inTurn(group, work)
      } finally {
        leave()
      }
    },
    /** Runs `work` in turn, for somebody who is signed in already: never refused. */
    afterOthers: <T>(work: () => Promise<T>): Promise<T> => known.inTurn('', work),
  }
}

/** One work at a time; of those that wait, the first whose address was not the last one. */
function createLane() {
  const waiting: Waiting[] = []
  let isBusy = false
  let lastGroup = ''

  function startNext(): void {
    const next = waiting.find(({ group }) => group !== lastGroup) ?? waiting[0]
    if (isBusy || !next) return
    waiting.splice(waiting.indexOf(next), 1)
    isBusy = true
    lastGroup = next.group
    next.start()
  }

  return {
    async inTurn<T>(group: string, work: () => Promise<T>): Promise<T> {
      await new Promise<void>((resolve) => {
        waiting.push({ group, start: resolve })
        startNext()
      })
      try {
        return await work()
      } finally {
        isBusy = false
        startNext()
      }
    },
  }
}
