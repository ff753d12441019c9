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
  caller: Caller
  start(): void
}

/**
 * Gives the places in which passwords are judged, one after the other. Judging is dear, so whoever may take all places
 * keeps everybody out: an address has few, known addresses have one that nobody else can take and go first, and two
 * addresses that wait take turns.
 */
export function createPasswordPlaces() {
  const waiting: Waiting[] = []
  const taken = new Map<string, number>()
  let count = 0
  let isBusy = false
  let lastGroup = ''

  function isFree({ group, isKnown }: Caller): boolean {
    return count < MOST_PLACES + (isKnown ? 1 : 0) && (taken.get(group) ?? 0) < MOST_PER_ADDRESS
  }

  function take({ group }: Caller, by: 1 | -1): void {
    count += by
    const left = (taken.get(group) ?? 0) + by
    if (left === 0) taken.delete(group)
    else taken.set(group, left)
  }

  function startNext(): void {
    const rank = ({ caller }: Waiting) => (caller.isKnown ? 0 : 2) + (caller.group === lastGroup ? 1 : 0)
    const [next] = waiting.toSorted((a, b) => rank(a) - rank(b))
    if (isBusy || !next) return
    waiting.splice(waiting.indexOf(next), 1)
    isBusy = true
    lastGroup = next.caller.group
    next.start()
  }

  async function inTurn<T>(caller: Caller, work: () => Promise<T>): Promise<T> {
    await new Promise<void>((resolve) => {
      waiting.push({ caller, start: resolve })
      startNext()
    })
    try {
      return await work()
    } finally {
      isBusy = false
      startNext()
    }
  }

  return {
    /** Runs `work` once it is its turn. @returns undefined, at once, when no place is left for the caller */
    async judge<T>(caller: Caller, work: () => Promise<T>): Promise<T | undefined> {
      if (!isFree(caller)) return undefined
      take(caller, 1)
      try {
        return await inTurn(caller, work)
      } finally {
        take(caller, -1)
      }
    },
    /** Runs `work` in turn, for somebody who is signed in already: never refused. */
    afterOthers: <T>(work: () => Promise<T>): Promise<T> => inTurn({ group: '', isKnown: true }, work),
  }
}
