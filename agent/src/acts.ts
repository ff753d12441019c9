import pTimeout from 'p-timeout'
import type { Logger } from 'pino'
import { SECOND_MS } from '@escale/protocol'
import { outcomeOf, type Act, type ActEffect, type Input } from './core/index.ts'
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

  async function outcomeFor(effect: ActEffect, signal: AbortSignal): Promise<Input> {
    const { kind, id } = effect
    if (kind === 'lock') await platform.lock(signal)
    if (kind === 'open') await platform.open(signal, effect.sessionId)
    if (kind !== 'clean') return { kind: outcomeOf[kind], id }
    const details = await platform.clean(signal)
    return { kind: outcomeOf[kind], id, ...(details && { details }) }
  }

  async function perform(effect: ActEffect, before: Promise<void>, signal: AbortSignal): Promise<void> {
    await pTimeout(before, { milliseconds: REPLACED_LIMIT_MS, fallback: () => undefined })
    if (signal.aborted) return
    const { kind: act, id } = effect
    try {
      const outcome = await outcomeFor(effect, signal)
      log.info({ act, outcome }, 'the platform has done it')
      dispatch(outcome)
    } catch (err) {
      log.error({ err, act }, 'the platform failed')
      dispatch({ kind: 'actFailed', id, error: err instanceof Error ? err.message : String(err) })
    }
  }

  return {
    /** A new act ends the one before. */
    start(effect: ActEffect): void {
      newest.abort()
      newest = new AbortController()
      last = perform(effect, last, newest.signal)
    },
    stop: (): void => newest.abort(),
  }
}
