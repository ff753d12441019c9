import { randomUUID } from 'node:crypto'
import pTimeout from 'p-timeout'
import type { Logger } from 'pino'
import { viewOf, type ScreenView } from './core/index.ts'
import { createIdentification, type Credentials } from './identification.ts'
import type { KioskStatus } from './kiosk.ts'
import { createMonotonicClock } from './monotonic-clock.ts'
import type { Platform } from './platform/platform.ts'
import { createScreenServer, type ScreenServer } from './screen/screen-server.ts'
import { createStationCore } from './station-core.ts'
import { createStationLink, type StationLink } from './station-link.ts'
import type { Store } from './store.ts'

const STOP_LIMIT_MS = 1_500
const JOIN_WAIT_MS = 2_000

export interface AgentOptions {
  /** Base address of the server, `http://host:port` or `https://…`. */
  server: string
  /** SHA-256 of the https server's authority, 64 hex digits. Without it the first authority seen is trusted from then on. */
  caFingerprint?: string
  credentials: Credentials
  platform: Platform
  store: Store
  /** The screen's port (0: any free port), and its page if not the agent's own. Without it the agent has no screen. */
  screen?: { port: number; pageDir?: string; kiosk?: () => KioskStatus | undefined }
  /** Sent to the server instead of the machine's own MAC address. */
  macAddress?: string
  log: Logger
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
  const aborter = new AbortController()
  let link: StationLink | undefined
  let screen: ScreenServer | undefined
  let stopped: Promise<void> | undefined
  const pageListeners: (() => void)[] = []

  const core = createStationCore({
    ...{ bootId, platform, store, log, nowMs },
    performOnLink: (effect) => link?.perform(effect),
    changed: () => {
      link?.changed()
      screen?.refresh()
    },
  })
  const { state, dispatch } = core

  const identification = createIdentification({
    ...options,
    onPairingCode: (code) => dispatch({ kind: 'pairingStarted', code }),
    signal: aborter.signal,
  })

  const join = async () => {
    const trust = await identification.trustServer()
    const identity = await identification.identify(trust)
    if (aborter.signal.aborted) return
    dispatch({
      kind: 'enrolled',
      stationId: identity.stationId,
      snapshot: identification.isCopied() ? undefined : await store.readState(),
    })
    link = createStationLink({
      identity,
      // An authority that was trusted after the enrolment replaces the one from the enrolment.
      caCertificate: trust?.caCertificate ?? identity.caCertificate,
      describe: identification.describe,
      bootId,
      platform,
      remembered: await store.readCommands(),
      remember: (commands) =>
        store.writeCommands(commands).catch((err: unknown) => {
          log.error({ err }, 'the received commands cannot be saved')
        }),
      log,
      nowMs,
      dispatch,
      onRefused: () => void rejoin(),
      // A station without a screen is simulated: there is no page to wait for.
      isScreenOpen: () => screen === undefined || screen.hasPage(),
      state,
    })
  }

  /** The server refuses the identity. With a site key, the station can enrol again. */
  const rejoin = async () => {
    if (options.credentials.kind !== 'key') return
    const { stationId } = state()
    const refused = link
    void core.save()
    dispatch({ kind: 'identityRefused' })
    if (state().phase.kind !== 'pairing' || refused === undefined) return
    link = undefined
    log.warn({ stationId }, 'the server no longer accepts this station, enrolling again')
    try {
      await refused.stop()
      await store.forgetIdentity()
      await join()
    } catch (err) {
      if (!aborter.signal.aborted) log.fatal({ err }, 'the station cannot join its server')
    }
  }

  const close = async () => {
    aborter.abort()
    await Promise.all([link?.stop(), screen?.stop(), core.stop()])
  }

  return {
    start: async () => {
      if (options.screen !== undefined) {
        screen = await createScreenServer({
          ...options.screen,
          log,
          view: () => viewOf(state(), nowMs()),
          onCode: (code) => dispatch({ kind: 'codeTyped', code }),
          onEnd: () => dispatch({ kind: 'endAsked' }),
          onCallStaff: (reason) => dispatch({ kind: 'staffCalled', reason }),
          onDismiss: (id) => dispatch({ kind: 'noticeDismissed', id }),
          onPagesChanged: () => {
            link?.changed()
            for (const listener of pageListeners) listener()
          },
        })
      }
      const joining = join().catch((err: unknown) => {
        if (!aborter.signal.aborted) log.fatal({ err }, 'the station cannot join its server')
      })
      // A saved identity, or a server that answers, makes this short. Otherwise the screen shows what the agent waits for.
      await atMost(JOIN_WAIT_MS, joining)
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
