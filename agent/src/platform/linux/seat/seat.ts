import type { Freezer } from './freezer.ts'
import type { Terminals } from './terminals.ts'
import type { Units } from './units.ts'

/** The terminals of the unit files in agent/system. */
export const LOCK_TERMINAL = 7
export const GUEST_TERMINAL = 8
export const GUEST_UNIT = 'escale-guest.service'

export interface SeatParts {
  terminals: Terminals
  /** The visitor's processes. */
  freezer: Freezer
  units: Units
}

export interface Seat {
  lock: (signal: AbortSignal) => Promise<void>
  open: (signal: AbortSignal) => Promise<void>
  /** Ends the visitor's session, so that systemd does not start it again while it is cleaned. */
  end: () => Promise<void>
}

/** The seat of one visitor: the lock on one terminal of the machine, and the visitor's session on another. */
export function createSeat({ terminals, freezer, units }: SeatParts): Seat {
  let last: Promise<unknown> = Promise.resolve()

  /** One act at a time: an act that was given up must not change the terminal after the next one has. */
  const inTurn = <T>(act: () => Promise<T>): Promise<T> => {
    const done = last.then(act)
    last = done.catch(() => undefined)
    return done
  }

  const lock = async (signal: AbortSignal): Promise<void> => {
    signal.throwIfAborted()
    // First the terminal: whatever the visitor's processes do then, nobody sees them.
    await terminals.show(LOCK_TERMINAL, true)
    await freezer.freeze(signal)
    const shown = await terminals.shown()
    if (shown !== LOCK_TERMINAL) throw new Error(`the lock is on terminal ${LOCK_TERMINAL}, not on ${shown}`)
  }

  /** A start that fails, or takes too long, must not succeed later behind the lock. */
  const startGuest = (): Promise<void> =>
    units.start(GUEST_UNIT).catch(async (err: unknown) => {
      await units.stop(GUEST_UNIT)
      throw err
    })

  const open = async (signal: AbortSignal): Promise<void> => {
    signal.throwIfAborted()
    await freezer.thaw(signal)
    await startGuest()
    signal.throwIfAborted()
    await terminals.show(GUEST_TERMINAL, false)
    signal.throwIfAborted()
    if (!(await units.isRunning(GUEST_UNIT))) throw new Error('the visitor’s session has ended at once')
  }

  return {
    lock: (signal) => inTurn(() => lock(signal)),
    open: (signal) => inTurn(() => open(signal)),
    end: () => inTurn(() => units.stop(GUEST_UNIT)),
  }
}
