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
  /** SHA-256 of the authority of an https server, 64 hex digits; without it the first one seen is kept. */
  caFingerprint?: string
  credentials: Credentials
  platform: Platform
  store: Store
  /** The screen's page and port (0: any free one); without it the agent has no screen. */
  screen?: { port: number; pageDir: string; kiosk?: () => KioskStatus | undefined }
  /** Told to the server instead of the machine's own. */
  macAddress?: string
  log: Logger
}

export interface Agent {
  /** Resolves once the screen answers, waiting a little for the identity; enrolment and connection go on in the background. */
  start: () => Promise<void>
  /** Says goodbye to the server and closes everything; under 2 s, and harmless when called again. */
  stop: () => Promise<void>
  screenUrl: () => string | undefined
  stationId: () => string | undefined
  view: () => ScreenView
  /** Whether a page shows the screen; `watchPages` tells when that may have changed. */
  hasPage: () => boolean
  watchPages: (listener: () => void) => void
  /** Tells the server, now or later, of a fault of this station; false before it is enrolled. */
  reportFault: (fault: string, error: string) => boolean
  typeCode: (code: string) => void
  endSession: () => void
  callStaff: (reason?: string) => void
}

/** One station: the pure core, and the shell that gives it time, network, disk and screen. */
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
      // What was trusted anew since the enrolment wins over what the enrolment told.
      caCertificate: trust?.caCertificate ?? identity.caCertificate,
      describe: identification.describe,
      bootId,
      platform,
      remembered: await store.readCommands(),
      remember: (commands) =>
        store.writeCommands(commands).catch((err: unknown) => {
          log.error({ err }, 'the commands taken cannot be saved')
        }),
      log,
      nowMs,
      dispatch,
      onRefused: () => void rejoin(),
      // A station without a page is a simulated one, which nobody looks at.
      isScreenOpen: () => screen === undefined || screen.hasPage(),
      state,
    })
  }

  /** An identity that the server refuses is of no use; where there is a key, another one can be asked for. */
  const rejoin = async () => {
    if (options.credentials.kind !== 'key') return
    const { stationId } = state()
    const refused = link
    void core.save()
    dispatch({ kind: 'identityRefused' })
    if (state().phase.kind !== 'pairing' || refused === undefined) return
    link = undefined
    log.warn({ stationId }, 'the server knows this station no longer, enrolling again')
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
      // Known soon where the server answers or an identity is at hand; else the screen shows what it waits for.
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
