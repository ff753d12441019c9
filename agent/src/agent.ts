import { randomUUID } from 'node:crypto'
import type { Logger } from 'pino'
import {
  initialState,
  nextDeadline,
  restOf,
  snapshotOf,
  transition,
  viewOf,
  type Effect,
  type Input,
  type ScreenView,
  type StationState,
} from './core/index.ts'
import { createIdentification, type Credentials } from './identification.ts'
import type { KioskStatus } from './kiosk.ts'
import { createMonotonicClock } from './monotonic-clock.ts'
import type { Platform } from './platform/platform.ts'
import { createScreenServer, type ScreenServer } from './screen/screen-server.ts'
import { createStationLink, type StationLink } from './station-link.ts'
import type { Store } from './store.ts'

/** A timer no longer than this notices in time that the machine has slept. */
const COUNTING_TICK_MS = 1_000
const MAX_TIMER_MS = 60_000
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
  let state: StationState = initialState({ bootId, wallOffsetMs: Date.now() - nowMs() })
  let timer: NodeJS.Timeout | undefined
  let link: StationLink | undefined
  let screen: ScreenServer | undefined
  let stopped: Promise<void> | undefined
  const pageListeners: (() => void)[] = []

  const dispatch = (input: Input) => {
    const step = transition(state, input, nowMs())
    state = step.state
    for (const effect of step.effects) perform(effect)
    link?.changed()
    screen?.refresh()
    schedule()
  }

  const schedule = () => {
    clearTimeout(timer)
    if (aborter.signal.aborted) return
    const deadlineMs = nextDeadline(state)
    if (deadlineMs === undefined) return
    const longestMs = restOf(state.phase)?.kind === 'active' ? COUNTING_TICK_MS : MAX_TIMER_MS
    const waitMs = Math.min(longestMs, Math.max(0, Math.ceil(deadlineMs - nowMs())))
    timer = setTimeout(() => dispatch({ kind: 'tick' }), waitMs)
  }

  const run = (what: string, work: Promise<unknown>) => {
    work.catch((err: unknown) => log.error({ err, what }, 'the platform failed'))
  }

  const save = () => {
    const snapshot = snapshotOf(state, nowMs())
    if (snapshot === undefined) return Promise.resolve()
    return store.writeState(snapshot).catch((err: unknown) => log.error({ err }, 'the state cannot be saved'))
  }

  const perform = (effect: Effect) => {
    switch (effect.kind) {
      case 'lockScreen':
      case 'unlockScreen':
        log.info({ version: state.version }, effect.kind === 'lockScreen' ? 'station locked' : 'station open')
        {
          run(effect.kind, platform[effect.kind]())
          return
        }
      case 'cleanUp':
        return void platform.cleanUp().then(
          () => dispatch({ kind: 'cleaned' }),
          (err: unknown) => dispatch({ kind: 'cleaned', error: String(err) }),
        )
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
        return link?.perform(effect)
    }
  }

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
      state: () => state,
    })
  }

  /** An identity that the server refuses is of no use; where there is a key, another one can be asked for. */
  const rejoin = async () => {
    if (options.credentials.kind !== 'key') return
    const { stationId } = state
    const refused = link
    void save()
    dispatch({ kind: 'identityRefused' })
    if (state.phase.kind !== 'pairing' || refused === undefined) return
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
    clearTimeout(timer)
    await Promise.all([link?.stop(), screen?.stop(), save()])
  }

  return {
    start: async () => {
      if (options.screen !== undefined) {
        screen = await createScreenServer({
          ...options.screen,
          log,
          view: () => viewOf(state, nowMs()),
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
      // Known soon where the server answers or an identity is at hand; else the screen shows what goes on.
      await withLimit(joining, JOIN_WAIT_MS)
    },
    stop: () => (stopped ??= withLimit(close(), STOP_LIMIT_MS)),
    screenUrl: () => screen?.url,
    stationId: () => state.stationId,
    view: () => viewOf(state, nowMs()),
    hasPage: () => screen?.hasPage() === true,
    watchPages: (listener) => pageListeners.push(listener),
    reportFault: (fault, error) => {
      if (state.phase.kind === 'pairing') return false
      dispatch({ kind: 'faultFound', fault, error })
      return true
    },
    typeCode: (code) => dispatch({ kind: 'codeTyped', code }),
    endSession: () => dispatch({ kind: 'endAsked' }),
    callStaff: (reason) => dispatch({ kind: 'staffCalled', reason }),
  }
}

async function withLimit(work: Promise<unknown>, limitMs: number): Promise<void> {
  let limit: NodeJS.Timeout | undefined
  await Promise.race([
    work,
    new Promise((resolve) => {
      limit = setTimeout(resolve, limitMs)
    }),
  ])
  clearTimeout(limit)
}
