import { createPlaces } from '@escale/broker'

/** Where a password comes from. */
export interface Caller {
  /** The address, or the network that counts as one. */
  group: string
  /** An operator signed in from there recently. */
  isKnown: boolean
}

/** Maximum number of passwords that wait or are being checked, for all addresses. Known addresses have one more. */
const MOST_PLACES = 4
/** Maximum for one address: enough for two people at one desk. */
const MOST_PER_ADDRESS = 2

interface Waiting {
  group: string
  start(): void
}

/**
 * Decides whose password is checked, and when. A check takes half a second of a core, so nobody may use all places.
 * One address has few places, and one place is reserved for known addresses, from which an operator signed in
 * recently. Known addresses wait in one queue and all others in another. Each queue runs one check at a time. The
 * address that was served last goes after the others.
 */
export function createPasswordQueue() {
  const known = createLine()
  const unknown = createLine()
  const ofAddress = createPlaces({ perGroup: MOST_PER_ADDRESS })
  let taken = 0

  return {
    /** Runs `work` when its turn comes. @returns undefined at once if no place is left for the caller */
    async check<T>({ group, isKnown }: Caller, work: () => Promise<T>): Promise<T | undefined> {
      const most = MOST_PLACES + (isKnown ? 1 : 0)
      const leave = taken < most ? ofAddress.take(group) : undefined
      if (!leave) return undefined
      taken += 1
      try {
        return await (isKnown ? known : unknown).inTurn(group, work)
      } finally {
        taken -= 1
        leave()
      }
    },
    /** Runs `work` when its turn comes, for a signed-in caller: it is never refused. */
    runQueued: <T>(work: () => Promise<T>): Promise<T> => known.inTurn('', work),
  }
}

/** Runs one task at a time. The next is the first task whose address was not served last. */
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
