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
 * Gives the places in which passwords are judged. Judging is dear, so whoever may take all places keeps everybody out:
 * an address has few of them, and known addresses have one that nobody else can take. Known addresses wait for each
 * other alone, strangers too; one of each is judged at a time, and of strangers the address that was not last.
 */
export function createPasswordPlaces() {
  const known = createLane()
  const strangers = createLane()
  const taken = new Map<string, number>()
  let count = 0

  function isFree({ group, isKnown }: Caller): boolean {
    return count < MOST_PLACES + (isKnown ? 1 : 0) && (taken.get(group) ?? 0) < MOST_PER_ADDRESS
  }

  function take({ group }: Caller, by: 1 | -1): void {
    count += by
    const left = (taken.get(group) ?? 0) + by
    if (left === 0) taken.delete(group)
    else taken.set(group, left)
  }

  return {
    /** Runs `work` once it is its turn. @returns undefined, at once, when no place is left for the caller */
    async judge<T>(caller: Caller, work: () => Promise<T>): Promise<T | undefined> {
      if (!isFree(caller)) return undefined
      take(caller, 1)
      try {
        return await (caller.isKnown ? known : strangers).inTurn(caller.group, work)
      } finally {
        take(caller, -1)
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
