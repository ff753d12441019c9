import type { Logger } from 'pino'
import { SECOND_MS } from '@escale/protocol'
import { restOf, sessionOf, type Input, type Phase, type StationState } from './core/index.ts'
import type { CommandActions } from './link/commands.ts'
import type { Platform } from './platform/platform.ts'

/** The document comes first; after a reconnection the two may cross. */
const DOCUMENT_LIMIT_MS = 3_000

export interface StationActions {
  actions: CommandActions
  /** To be called after every change of the state. */
  changed: () => void
  stop: () => void
}

/** What commands do at this station: to its screen, and to the machine under it. */
export function createStationActions(ports: {
  platform: Pick<Platform, 'reboot' | 'shutdown'>
  state: () => StationState
  dispatch: (input: Input) => void
  reportFault: (kind: string, error: string) => void
  log: Logger
}): StationActions {
  const { platform, state, dispatch, reportFault, log } = ports
  const watchers = new Set<() => void>()
  const planned = new Set<NodeJS.Timeout>()

  const awaitPhase = (isThere: (phase: Phase) => boolean, failure: string): Promise<void> =>
    new Promise((resolve, reject) => {
      const look = () => {
        if (isThere(state().phase)) settle()
      }
      const settle = (err?: Error) => {
        clearTimeout(timer)
        watchers.delete(look)
        if (err === undefined) resolve()
        else reject(err)
      }
      const timer = setTimeout(() => settle(new Error(failure)), DOCUMENT_LIMIT_MS)
      watchers.add(look)
      look()
    })

  /** Says on the screen what is coming, and does it; what is put off and fails then is told as a fault. */
  const goDown = async (op: 'reboot' | 'shutdown', delaySeconds: number): Promise<void> => {
    if (delaySeconds === 0) return platform[op]()
    dispatch({ kind: 'goingDown', op, delaySeconds })
    const timer = setTimeout(() => {
      planned.delete(timer)
      platform[op]().catch((err: unknown) => {
        log.error({ err, op }, 'the platform failed')
        reportFault(`${op}-failed`, String(err))
      })
    }, delaySeconds * SECOND_MS)
    planned.add(timer)
  }

  return {
    actions: {
      message: (id, text, level) => dispatch({ kind: 'noticeReceived', notice: { id, text, level } }),
      identify: () => dispatch({ kind: 'identifyAsked' }),
      awaitLocked: () =>
        awaitPhase((phase) => restOf(phase)?.kind !== 'active', 'the session is still active here'),
      awaitNoSession: () =>
        awaitPhase((phase) => sessionOf(phase) === undefined, 'the session is still open here'),
      reboot: (delaySeconds) => goDown('reboot', delaySeconds),
      shutdown: (delaySeconds) => goDown('shutdown', delaySeconds),
    },
    changed: () => {
      for (const look of [...watchers]) look()
    },
    stop: () => {
      for (const timer of planned) clearTimeout(timer)
    },
  }
}
