import type { Freezer } from './freezer.ts'
import type { Units } from './units.ts'

/** The terminals of the units in agent/seat. */
export const LOCK_TERMINAL = 7
export const GUEST_TERMINAL = 8
/** They show these terminals, and forbid every other change of terminal. */
const SHOW_LOCK = 'escale-show-lock.service'
const SHOW_GUEST = 'escale-show-guest.service'
const GUEST_SESSION = 'escale-guest.service'

export interface SeatParts {
  units: Units
  /** The visitor's processes. */
  freezer: Freezer
  /** The number of the terminal that the kernel shows. */
  shownTerminal: () => Promise<number>
}

export interface Seat {
  lock: (signal: AbortSignal) => Promise<void>
  open: (signal: AbortSignal) => Promise<void>
  /** Ends the visitor's session, so that systemd does not start it again while it is cleaned. */
  end: () => Promise<void>
}

/** The seat of one visitor: the lock on one terminal of the machine, and the visitor's session on another. */
export function createSeat({ units, freezer, shownTerminal }: SeatParts): Seat {
  let last: Promise<unknown> = Promise.resolve()

  /** One act at a time: an act that was given up must not change the terminal after the next one has. */
  const inTurn = <T>(act: () => Promise<T>): Promise<T> => {
    const done = last.then(act)
    last = done.catch(() => undefined)
    return done
  }

  const prove = async (wanted: number): Promise<void> => {
    const shown = await shownTerminal()
    if (shown !== wanted) throw new Error(`terminal ${wanted} was asked for, and terminal ${shown} is shown`)
  }

  const lock = async (signal: AbortSignal): Promise<void> => {
    signal.throwIfAborted()
    // First the terminal: whatever the visitor's processes do then, nobody sees them.
    await units.start(SHOW_LOCK)
    await prove(LOCK_TERMINAL)
    await freezer.freeze(signal)
    await prove(LOCK_TERMINAL)
  }

  /** A start that fails, or takes too long, must not succeed later behind the lock. */
  const startSession = (): Promise<void> =>
    units.start(GUEST_SESSION).catch(async (err: unknown) => {
      await units.stop(GUEST_SESSION)
      throw err
    })

  const open = async (signal: AbortSignal): Promise<void> => {
    signal.throwIfAborted()
    await freezer.thaw(signal)
    await startSession()
    signal.throwIfAborted()
    await units.start(SHOW_GUEST)
    signal.throwIfAborted()
    await prove(GUEST_TERMINAL)
    if (!(await units.isRunning(GUEST_SESSION))) throw new Error('the visitor’s session has ended at once')
  }

  return {
    lock: (signal) => inTurn(() => lock(signal)),
    open: (signal) => inTurn(() => open(signal)),
    end: () => inTurn(() => units.stop(GUEST_SESSION)),
  }
}
