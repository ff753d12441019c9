import type { Logger } from 'pino'
import { createActs } from './acts.ts'
import {
  initialState,
  nextDeadline,
  restOf,
  snapshotOf,
  transition,
  type Effect,
  type Input,
  type StationState,
} from './core/index.ts'
import type { Platform } from './platform/platform.ts'
import type { LinkEffect } from './link/station-link.ts'
import type { Store } from './store.ts'

/** Longest timer while a session runs: after the machine has slept, the agent notices within this time. */
const COUNTING_TICK_MS = 1_000
const MAX_TIMER_MS = 60_000

interface StationCoreParts {
  bootId: string
  platform: Platform
  store: Pick<Store, 'writeState'>
  log: Logger
  nowMs: () => number
  /** Performs the effects that concern the server. */
  performOnLink: (effect: LinkEffect) => void
  /** Called after each input. */
  changed: () => void
}

/** Holds the state of one station. It connects the pure core to the clock, the disk and the platform. */
export function createStationCore(parts: StationCoreParts) {
  const { bootId, platform, store, log, nowMs } = parts
  let state: StationState = initialState({ bootId, wallOffsetMs: Date.now() - nowMs() })
  let timer: NodeJS.Timeout | undefined
  let isStopped = false

  const dispatch = (input: Input) => {
    const step = transition(state, input, nowMs())
    state = step.state
    for (const effect of step.effects) perform(effect)
    parts.changed()
    schedule()
  }

  const schedule = () => {
    clearTimeout(timer)
    if (isStopped) return
    const deadlineMs = nextDeadline(state)
    if (deadlineMs === undefined) return
    const longestMs = restOf(state.phase)?.kind === 'active' ? COUNTING_TICK_MS : MAX_TIMER_MS
    const waitMs = Math.min(longestMs, Math.max(0, Math.ceil(deadlineMs - nowMs())))
    timer = setTimeout(() => dispatch({ kind: 'tick' }), waitMs)
  }

  const save = (): Promise<void> => {
    const snapshot = snapshotOf(state, nowMs())
    if (snapshot === undefined) return Promise.resolve()
    return store.writeState(snapshot).catch((err: unknown) => log.error({ err }, 'the state cannot be saved'))
  }

  const acts = createActs({ platform, dispatch, log })

  const perform = (effect: Effect) => {
    switch (effect.kind) {
      case 'lock':
      case 'open':
      case 'clean': {
        acts.start(effect)
        return
      }
      case 'save':
        return void save()
      case 'warn': {
        log.info({ sessionId: effect.sessionId, remainingSeconds: effect.remainingSeconds }, 'visitor warned')
        return
      }
      case 'rejected': {
        log.debug({ code: effect.code, input: effect.input }, 'input rejected')
        return
      }
      case 'report':
      case 'sendEvents':
      case 'askTime':
      case 'request':
        parts.performOnLink(effect)
    }
  }

  return {
    state: () => state,
    dispatch,
    save,
    /** The seat is locked before anything else is known. */
    start: (): void => dispatch({ kind: 'tick' }),
    /** Saves the state and stops the timer. */
    stop(): Promise<void> {
      isStopped = true
      clearTimeout(timer)
      acts.stop()
      return save()
    },
  }
}
