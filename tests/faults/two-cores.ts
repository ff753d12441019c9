import {
  instantOf,
  unixMsOf,
  type Desired,
  type SessionEndedDetails,
  type StationEvent,
} from '@escale/protocol'
import {
  initialState,
  outcomeOf,
  restOf,
  sampleOf,
  snapshotOf,
  stationEventOf,
  transition as decideAtStation,
  type Effect,
  type Input,
  type Snapshot,
  type StationState,
} from '../../agent/src/core/index.ts'
import { shownMsOf } from '../../agent/src/core/lease.ts'
import {
  endsAtMsOf,
  sessionTimeAt,
  shifted,
  transition as decideAtServer,
  type SessionClock,
  type SessionInput,
} from '../../backend/src/domain/session.ts'

const STATION = 'pc-01'
const RULES = { maxSuspendedMs: 30 * 60_000 }
const CODE_LIFE_MS = 86_400_000
/** The server's Unix ms at the start of the test. */
const EPOCH_MS = 1_800_000_000_000

export type ToStation =
  | { kind: 'desired'; desired: Desired }
  | { kind: 'time'; bootId: string; sentMs: number; serverMs: number }
  | { kind: 'taken'; bootId: string; seq: number }
  | { kind: 'answered'; bootId: string; tag: number }
export type ToServer =
  | { kind: 'time'; bootId: string; sentMs: number }
  | { kind: 'event'; event: StationEvent }
  | { kind: 'end'; bootId: string; tag: number; sessionId: string }

interface ServerSession extends SessionClock {
  id: string
}

export type World = ReturnType<typeof createWorld>

/**
 * The pure cores of a station and of the server, and two message queues between them that the test can disturb. Time
 * is one number, which each side reads through its own clock. The I/O around the cores (save, send, count versions,
 * ignore a repeated event) is replaced by the simplest possible code.
 */
export function createWorld() {
  let nowMs = 0
  const toStation: ToStation[] = []
  const toServer: ToServer[] = []

  // The server: its clock, the document's version, the session at the station, and the events that it has handled.
  let serverOffsetMs = EPOCH_MS
  let version = 0
  let sessions = 0
  let session: ServerSession | undefined
  const grants: { version: number; seconds: number }[] = []
  const handledEvents = new Set<string>()
  const serverMs = () => nowMs + serverOffsetMs

  function documentOf(): Desired {
    const sentAt = instantOf(serverMs())
    if (session?.state !== 'active' && session?.state !== 'suspended')
      return { version, state: 'locked', sentAt }
    const endsAtMs = endsAtMsOf(session)
    return {
      version,
      state: session.state,
      sentAt,
      session: {
        id: session.id,
        displayName: '',
        grantedSeconds: session.grantedSeconds,
        remainingSeconds: sessionTimeAt(session, serverMs()).remainingSeconds,
        ...(endsAtMs === undefined ? {} : { endsAt: instantOf(endsAtMs) }),
      },
    }
  }
  const publish = () => void toStation.push({ kind: 'desired', desired: documentOf() })
  const publishNextVersion = () => {
    version = Math.max(version + 1, serverMs())
    publish()
  }

  function atServer(input: SessionInput): void {
    if (session === undefined) return
    const step = decideAtServer(session, input, serverMs(), RULES)
    session = step.session
    if (step.effects.every(({ type }) => type === 'rejected')) return
    publishNextVersion()
    for (const effect of step.effects)
      if (effect.type === 'timeAdded') grants.push({ version, seconds: effect.addedSeconds })
  }

  function handleEvent(event: StationEvent): void {
    const { bootId, seq, kind, at, details } = event
    const isNew = !handledEvents.has(`${bootId}/${seq}`)
    handledEvents.add(`${bootId}/${seq}`)
    toStation.push({ kind: 'taken', bootId, seq })
    if (!isNew || kind !== 'session_ended' || details['sessionId'] !== session?.id) return
    const { reason, version: seen } = details as Required<SessionEndedDetails>
    const unseen = grants.filter((grant) => grant.version > seen)
    const unseenSeconds = unseen.reduce((sum, { seconds }) => sum + seconds, 0)
    atServer({ type: 'stationEnded', atMs: unixMsOf(at), reason, unseenSeconds })
  }

  // The station: its monotonic clock starts again with each boot; its wall clock may be wrong.
  let boots = 0
  let bootedMs = 0
  let wallOffsetMs = 0
  let disk: Snapshot | undefined
  let state: StationState
  const monotonicMs = () => nowMs - bootedMs

  function perform(effect: Effect): void {
    const { bootId } = state
    if (effect.kind === 'save') disk = structuredClone(snapshotOf(state, monotonicMs()))
    else if (effect.kind === 'lock' || effect.kind === 'open' || effect.kind === 'clean')
      atStation({ kind: outcomeOf[effect.kind], id: effect.id })
    else if (effect.kind === 'sendEvents') sendEvents()
    else if (effect.kind === 'askTime') toServer.push({ kind: 'time', bootId, sentMs: monotonicMs() })
    else if (effect.kind === 'request' && effect.op === 'end_session') {
      const { tag, params } = effect
      toServer.push({ kind: 'end', bootId, tag, sessionId: String(params['sessionId']) })
    }
  }
  function sendEvents(): void {
    for (const event of state.events) toServer.push({ kind: 'event', event: stationEventOf(event) })
  }
  function atStation(input: Input): void {
    const step = decideAtStation(state, input, monotonicMs())
    state = step.state
    step.effects.forEach(perform)
  }
  function boot(): void {
    boots += 1
    bootedMs = nowMs
    state = initialState({ bootId: `boot-${boots}`, wallOffsetMs })
    atStation({ kind: 'enrolled', stationId: STATION, ...(disk && { snapshot: disk }) })
    connect()
  }
  function connect(): void {
    atStation({ kind: 'linkUp' })
    toServer.push({ kind: 'time', bootId: state.bootId, sentMs: monotonicMs() })
    publish()
  }

  state = initialState({ bootId: 'boot-0', wallOffsetMs })
  boot()

  const world = {
    toStation,
    toServer,
    station: () => state,
    server: () => ({ version, session, state: documentOf().state }),
    events: () => handledEvents,
    /** Milliseconds left on the station's screen; undefined without a countdown. */
    leftAtStationMs(): number | undefined {
      const rest = restOf(state.phase)
      return rest?.kind === 'active' ? shownMsOf(rest.lease, monotonicMs()) : undefined
    },
    leftAtServerMs: () => (session && (endsAtMsOf(session) ?? 0) - serverMs()) ?? 0,

    pass(ms: number): void {
      nowMs += ms
      atStation({ kind: 'tick' })
      atServer({ type: 'timePassed' })
    },
    start(seconds: number): void {
      if (session && session.state !== 'ended') return
      sessions += 1
      grants.length = 0
      session = {
        id: `s-${sessions}`,
        state: 'pending',
        grantedSeconds: seconds,
        creditSeconds: 0,
        consumedMs: 0,
        codeExpiresAtMs: serverMs() + CODE_LIFE_MS,
      }
      atServer({ type: 'start' })
    },
    atServer,
    endAtStation: () => atStation({ kind: 'endAsked' }),
    stepServerClock(ms: number): void {
      serverOffsetMs += ms
      if (!session || session.state === 'ended') return
      session = shifted(session, ms)
      publishNextVersion()
    },
    setStationClock: (ms: number) => void (wallOffsetMs = ms),
    /** The process is killed and starts again from its saved state. */
    restartStation: boot,
    /** The server restarts from its database: it publishes the current document with the time of now. */
    restartServer: publish,
    goOffline: () => atStation({ kind: 'linkDown' }),
    goOnline(): void {
      connect()
      sendEvents()
    },

    deliverToStation(): void {
      const message = toStation.shift()
      if (message?.kind === 'desired') atStation({ kind: 'desiredReceived', desired: message.desired })
      if (message === undefined || message.kind === 'desired') return
      if (message.kind === 'taken')
        atStation({ kind: 'eventAcknowledged', bootId: message.bootId, seq: message.seq })
      // Answers to requests of an earlier process are dropped.
      if (message.bootId !== state.bootId) return
      if (message.kind === 'answered')
        atStation({ kind: 'answered', tag: message.tag, answer: { ok: true, data: {} } })
      if (message.kind === 'time') {
        const exchange = {
          sentMs: message.sentMs,
          arrivedMs: monotonicMs(),
          serverReceivedMs: message.serverMs,
          serverSentMs: message.serverMs,
        }
        atStation({ kind: 'clockSampled', sample: sampleOf(exchange) })
      }
    },
    deliverToServer(): void {
      const message = toServer.shift()
      if (message?.kind === 'time') toStation.push({ ...message, serverMs: serverMs() })
      if (message?.kind === 'event') handleEvent(message.event)
      if (message?.kind === 'end') {
        if (message.sessionId === session?.id) atServer({ type: 'terminate', reason: 'logged_out' })
        toStation.push({ kind: 'answered', bootId: message.bootId, tag: message.tag })
      }
    },
    /** Delivers all messages in order until none is left. */
    settle(): void {
      atStation({ kind: 'linkDown' })
      for (let tag = 0; tag < state.nextTag; tag += 1) atStation({ kind: 'unanswered', tag })
      world.goOnline()
      while (toStation.length > 0 || toServer.length > 0) {
        while (toServer.length > 0) world.deliverToServer()
        while (toStation.length > 0) world.deliverToStation()
      }
    },
  }
  return world
}
