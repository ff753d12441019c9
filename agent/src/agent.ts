import { randomUUID } from 'node:crypto'
import pTimeout from 'p-timeout'
import { viewOf, type ScreenView } from './core/index.ts'
import { createMembership, type MembershipOptions } from './link/membership.ts'
import type { KioskStatus } from './kiosk.ts'
import { createMonotonicClock } from './monotonic-clock.ts'
import { createScreenServer, type ScreenServer } from './screen/screen-server.ts'
import { createStationCore } from './station-core.ts'

const STOP_LIMIT_MS = 1_500
const JOIN_WAIT_MS = 2_000

export interface AgentOptions extends MembershipOptions {
  /** The screen's port (0: any free port), and its page if not the agent's own. Without it the agent has no screen. */
  screen?: { port: number; pageDir?: string; key?: string; kiosk?: () => KioskStatus | undefined }
}

export interface Agent {
  /** Resolves when the screen answers, after a short wait for the identity. Enrolment and connection go on in the background. */
  start: () => Promise<void>
  /** Disconnects from the server and closes everything, in less than 2 s. It may be called again. */
  stop: () => Promise<void>
  screenUrl: () => string | undefined
  stationId: () => string | undefined
  view: () => ScreenView
  /** Whether a page shows the screen. `watchPages` calls its listener when that may have changed. */
  hasPage: () => boolean
  watchPages: (listener: () => void) => void
  /** Reports a fault of this station to the server, now or later. False before the station is enrolled. */
  reportFault: (fault: string, error: string) => boolean
  typeCode: (code: string) => void
  endSession: () => void
  callStaff: (reason?: string) => void
}

/** One station: the pure core, and around it the clock, network, disk and screen. */
export function createAgent(options: AgentOptions): Agent {
  const { platform, store, log } = options
  const nowMs = createMonotonicClock()
  const bootId = randomUUID()
  let screen: ScreenServer | undefined
  let stopped: Promise<void> | undefined
  const pageListeners: (() => void)[] = []

  const core = createStationCore({
    ...{ bootId, platform, store, log, nowMs },
    performOnLink: (effect) => membership.link()?.perform(effect),
    changed: () => {
      membership.link()?.changed()
      screen?.refresh()
    },
  })
  const { state, dispatch, save } = core

  const membership = createMembership({
    ...options,
    ...{ bootId, nowMs, state, dispatch, save },
    // A station without a screen is simulated: there is no page to wait for.
    isScreenOpen: () => screen === undefined || screen.hasPage(),
  })

  const close = async () => {
    await Promise.all([membership.stop(), screen?.stop(), core.stop()])
  }

  return {
    start: async () => {
      core.start()
      if (options.screen !== undefined) {
        screen = await createScreenServer({
          ...options.screen,
          log,
          view: () => viewOf(state(), nowMs()),
          onCode: (code) => dispatch({ kind: 'codeTyped', code }),
          onAccept: () => dispatch({ kind: 'termsAccepted' }),
          onEnd: () => dispatch({ kind: 'endAsked' }),
          onCallStaff: (reason) => dispatch({ kind: 'staffCalled', reason }),
          onDismiss: (id) => dispatch({ kind: 'noticeDismissed', id }),
          onPagesChanged: () => {
            membership.link()?.changed()
            for (const listener of pageListeners) listener()
          },
        })
      }
      // A saved identity, or a server that answers, makes this short. Otherwise the screen shows what the agent waits for.
      await atMost(JOIN_WAIT_MS, membership.join())
    },
    stop: () => (stopped ??= atMost(STOP_LIMIT_MS, close())),
    screenUrl: () => screen?.url,
    stationId: () => state().stationId,
    view: () => viewOf(state(), nowMs()),
    hasPage: () => screen?.hasPage() === true,
    watchPages: (listener) => pageListeners.push(listener),
    reportFault: (fault, error) => {
      if (state().phase.kind === 'pairing') return false
      dispatch({ kind: 'faultFound', fault, error })
      return true
    },
    typeCode: (code) => dispatch({ kind: 'codeTyped', code }),
    endSession: () => dispatch({ kind: 'endAsked' }),
    callStaff: (reason) => dispatch({ kind: 'staffCalled', reason }),
  }
}

async function atMost(milliseconds: number, work: Promise<unknown>): Promise<void> {
  await pTimeout(work, { milliseconds, fallback: () => undefined })
}
