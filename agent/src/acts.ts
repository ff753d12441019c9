import pTimeout from 'p-timeout'
import type { Logger } from 'pino'
import { SECOND_MS } from '@escale/protocol'
import { outcomeOf, type Act, type Input } from './core/index.ts'
import type { Platform } from './platform/platform.ts'

/** How long a new act waits for the one that it replaces. */
const REPLACED_LIMIT_MS = 2 * SECOND_MS

export interface ActPorts {
  platform: Pick<Platform, Act>
  dispatch: (input: Input) => void
  log: Logger
}

/** Performs the acts that the core asks for, one at a time and in order. The platform’s outcome is an input of the core. */
export function createActs({ platform, dispatch, log }: ActPorts) {
  let newest = new AbortController()
  let last = Promise.resolve()

  async function perform(act: Act, id: number, before: Promise<void>, signal: AbortSignal): Promise<void> {
    await pTimeout(before, { milliseconds: REPLACED_LIMIT_MS, fallback: () => undefined })
    if (signal.aborted) return
    try {
      await platform[act](signal)
      log.info({ act }, 'the platform has done it')
      dispatch({ kind: outcomeOf[act], id })
    } catch (err) {
      log.error({ err, act }, 'the platform failed')
      dispatch({ kind: 'actFailed', id, error: err instanceof Error ? err.message : String(err) })
    }
  }

  return {
    /** A new act ends the one before. */
    start({ kind, id }: { kind: Act; id: number }): void {
      newest.abort()
      newest = new AbortController()
      last = perform(kind, id, last, newest.signal)
    },
    stop: (): void => newest.abort(),
  }
}
