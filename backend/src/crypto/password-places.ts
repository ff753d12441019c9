import { createPlaces } from '../domain/places.ts'

/** Where a password comes from. */
export interface Caller {
  /** The address, or the network that counts as one. */
  group: string
  /** An operator has signed in from there lately. */
  isKnown: boolean
}

/** Passwords that wait or are being checked, of all addresses together; known addresses have one place more. */
const MOST_PLACES = 4
/** Of them for one address: enough for two people at one desk. */
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
  const known = createLine()
  const strangers = createLine()
  const places = createPlaces()

  return {
    /** Runs `work` when its turn comes. @returns undefined, at once, when no place is left for the caller */
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

/** Runs one work at a time. The next is the first whose address has not just had its turn. */
function createLine() {
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
