import { setTimeout as wait } from 'node:timers/promises'
import type { Logger } from 'pino'
import { SECOND_MS } from '@escale/protocol'
import type { Input } from './core/index.ts'
import { CommandFailure } from './link/command-failure.ts'
import type { CommandActions } from './link/commands.ts'
import type { Platform } from './platform/platform.ts'

/** If the agent still runs this long after the machine was told to go down, the machine did not. */
const STILL_UP_MS = 120 * SECOND_MS

export interface PowerPorts {
  platform: Pick<Platform, 'checkPower' | 'reboot' | 'shutdown'>
  dispatch: (input: Input) => void
  reportFault: (kind: string, error: string) => void
  log: Logger
}

/** Turning the machine off: refused before anybody is told, then shown, cancellable until it begins. */
export function createPowerActions({ platform, dispatch, reportFault, log }: PowerPorts) {
  /** What waits for its time, by the command's id. */
  const planned = new Map<string, AbortController>()
  let stillUpTimer: NodeJS.Timeout | undefined

  const callOff = (id: string, failure: CommandFailure) => {
    planned.get(id)?.abort(failure)
    planned.delete(id)
  }

  const goDown: CommandActions['goDown'] = async ({ id, op, delaySeconds, onUnderWay }) => {
    const aborter = new AbortController()
    planned.set(id, aborter)
    try {
      await platform.checkPower(op)
      aborter.signal.throwIfAborted()
      // A machine goes down once: the newest order holds.
      for (const other of planned.keys()) if (other !== id) callOff(other, new CommandFailure('superseded'))
      if (delaySeconds > 0) {
        dispatch({ kind: 'goingDown', op, delaySeconds })
        await wait(delaySeconds * SECOND_MS, undefined, { signal: aborter.signal })
      }
      planned.delete(id)
      await onUnderWay()
      await platform[op]()
    } catch (err) {
      const isAnotherPlanned = [...planned.keys()].some((other) => other !== id)
      if (!isAnotherPlanned) dispatch({ kind: 'powerDownCancelled' })
      throw asFailure(aborter.signal.aborted ? aborter.signal.reason : err)
    } finally {
      planned.delete(id)
    }
    stillUpTimer = setTimeout(() => reportFault(`${op}-failed`, 'the machine is still up'), STILL_UP_MS)
    stillUpTimer.unref()
  }

  /** What the machine itself says goes to the log; the server is told the code. */
  const asFailure = (err: unknown): CommandFailure => {
    if (err instanceof CommandFailure) return err
    log.error({ err }, 'the machine did not go down')
    return new CommandFailure('power-failed', { cause: err })
  }

  return {
    goDown,
    /** Whether something that waited for its time was called off. */
    cancel: (id: string): boolean => {
      const isPlanned = planned.has(id)
      callOff(id, new CommandFailure('cancelled'))
      return isPlanned
    },
    stop: () => {
      clearTimeout(stillUpTimer)
      for (const id of planned.keys()) callOff(id, new CommandFailure('interrupted'))
    },
  }
}
