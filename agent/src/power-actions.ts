import { setTimeout as wait } from 'node:timers/promises'
import type { Logger } from 'pino'
import { SECOND_MS } from '@escale/protocol'
import type { Input } from './core/index.ts'
import { CommandFailure } from './link/command-failure.ts'
import type { CommandActions } from './link/commands.ts'
import type { Platform } from './platform/platform.ts'

/** If the agent still runs after this time, the reboot or shutdown has failed. */
const STILL_UP_MS = 120 * SECOND_MS

export interface PowerPorts {
  platform: Pick<Platform, 'checkPower' | 'reboot' | 'shutdown'>
  dispatch: (input: Input) => void
  reportFault: (kind: string, error: string) => void
  log: Logger
}

/** Reboots or shuts down the machine. A refusal comes before anything is shown; it can be cancelled until it begins. */
export function createPowerActions({ platform, dispatch, reportFault, log }: PowerPorts) {
  /** The commands that wait for their delay, by command id. */
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
      // The newest command replaces the others.
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

  /** The error of the machine goes to the log; the server gets only the code. */
  const asFailure = (err: unknown): CommandFailure => {
    if (err instanceof CommandFailure) return err
    log.error({ err }, 'the machine did not go down')
    return new CommandFailure('power-failed', { cause: err })
  }

  return {
    goDown,
    /** Cancels a waiting command; returns whether there was one. */
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
