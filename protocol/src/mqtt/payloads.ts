import { Type, type Static, type TSchema } from 'typebox'
import { Check } from 'typebox/value'
import { Details, EntityId, Instant, Percent, Seconds, oneOf } from '../schema.ts'
import { lineOrNothing, linesOrNothing } from '../text.ts'
import { logActions } from '../logs.ts'

/** Unknown fields of a payload are ignored, so every object here is open. */
const BootId = EntityId
/** A limit that a double and every database can hold exactly; the Unix time in ms is far below. */
const Counter = Type.Integer({ minimum: 0, maximum: 2 ** 52 })
const Version = Counter
const RequestId = EntityId

/** A visitor is warned when this many seconds are left. */
export const WARNING_SECONDS = [300, 120, 60, 30, 10] as const
export const DEFAULT_HEARTBEAT_INTERVAL_MS = 10_000
/** A station without a message for more than this many heartbeat intervals is offline. */
export const SILENT_AFTER_HEARTBEATS = 2.5
export const DEFAULT_MAX_SUSPENDED_MINUTES = 30

export const Presence = Type.Object({
  online: Type.Boolean(),
  cause: oneOf(['birth', 'clean', 'lost', 'silent'] as const),
  bootId: BootId,
  connectionSeq: Type.Optional(Counter),
  agentVersion: lineOrNothing(50),
  hostname: lineOrNothing(255),
  os: lineOrNothing(100),
  ipAddress: lineOrNothing(64),
  macAddress: lineOrNothing(64),
  imageVersion: Type.Optional(lineOrNothing(100)),
})
export type Presence = Static<typeof Presence>

export const desiredStates = ['locked', 'active', 'suspended', 'maintenance'] as const
export type DesiredState = (typeof desiredStates)[number]

export const reportedStates = ['pairing', 'locked', 'active', 'suspended', 'maintenance', 'cleaning'] as const
export type ReportedState = (typeof reportedStates)[number]

/** Optional fields of a heartbeat. Their limits are beyond any real machine. */
const optionalFields = {
  sessionId: Type.Optional(EntityId),
  remainingSeconds: Type.Optional(Seconds),
  uptimeSeconds: Type.Optional(Type.Integer({ minimum: 0, maximum: 3_200_000_000 })),
  cpuPercent: Type.Optional(Percent),
  memoryPercent: Type.Optional(Percent),
  diskPercent: Type.Optional(Percent),
  /** A broken sensor gives values such as -127 or 850. They are shown, so that somebody repairs it. */
  temperatureC: Type.Optional(Type.Number({ minimum: -273.15, maximum: 1_000 })),
}

export const Heartbeat = Type.Object({
  bootId: BootId,
  seq: Counter,
  state: oneOf(reportedStates),
  ...optionalFields,
})
export type Heartbeat = Static<typeof Heartbeat>

/** A heartbeat without its invalid optional fields: the rest is still useful, above all that the station is alive. */
export function withoutImpossibleFields(heartbeat: unknown): unknown {
  if (typeof heartbeat !== 'object' || heartbeat === null) return heartbeat
  const optional: Record<string, TSchema> = optionalFields
  const possible = Object.entries(heartbeat).filter(([name, value]) => {
    const schema = Object.hasOwn(optional, name) ? optional[name] : undefined
    return schema === undefined || Check(schema, value)
  })
  return Object.fromEntries(possible)
}

/** The complete state that a station must have, never a change to it. `remainingSeconds` is as of `sentAt`. */
export const Desired = Type.Object({
  version: Version,
  /** Name of the station for operators and visitors. */
  label: Type.Optional(Type.String()),
  state: oneOf(desiredStates),
  session: Type.Optional(
    Type.Object({
      id: EntityId,
      displayName: Type.String(),
      grantedSeconds: Seconds,
      remainingSeconds: Seconds,
      endsAt: Type.Optional(Instant),
      /** Set when the session ends because the site closes; shown to the visitor. */
      closesAt: Type.Optional(Instant),
      /** The boot of the agent that the session belongs to: another machine, with a copied disk, stays locked. */
      bootId: Type.Optional(BootId),
    }),
  ),
  /** The open call for staff at this station, and whether somebody is on the way. */
  staffCall: Type.Optional(Type.Object({ state: oneOf(['waiting', 'taken'] as const) })),
  /** Two machines have connected as this station: only the one that a session belongs to goes on with it. */
  conflict: Type.Optional(Type.Boolean()),
  sentAt: Instant,
})
export type Desired = Static<typeof Desired>

export const Reported = Type.Object({
  version: Version,
  state: oneOf(reportedStates),
  sessionId: Type.Optional(EntityId),
  remainingSeconds: Type.Optional(Seconds),
  bootId: BootId,
  appliedAt: Instant,
})
export type Reported = Static<typeof Reported>

export const Request = Type.Object({
  id: RequestId,
  op: Type.String({ minLength: 1, maxLength: 64 }),
  params: Type.Optional(Type.Record(Type.String(), Type.Unknown())),
})
export type Request = Static<typeof Request>

export const Response = Type.Union([
  Type.Object({ id: RequestId, ok: Type.Literal(true), data: Type.Record(Type.String(), Type.Unknown()) }),
  Type.Object({
    /** Absent when the request had no readable id. */
    id: Type.Optional(RequestId),
    ok: Type.Literal(false),
    error: Type.Object({
      code: Type.String(),
      message: Type.String(),
      /** With `topic-forbidden`: the topic. */
      topic: Type.Optional(Type.String()),
      /** With `code-throttled`: the same as `Retry-After` in REST. */
      retryAfterSeconds: Type.Optional(Seconds),
    }),
  }),
])
export type Response = Static<typeof Response>

export const commandOps = [
  'message',
  'lock',
  'logout',
  'reboot',
  'shutdown',
  'identify',
  'update',
  'cancel',
] as const

export const Command = Type.Object({
  id: RequestId,
  bootId: Type.Optional(BootId),
  op: oneOf(commandOps),
  params: Type.Record(Type.String(), Type.Unknown()),
  expiresAt: Instant,
})
export type Command = Static<typeof Command>

export const Ack = Type.Object({
  id: RequestId,
  status: oneOf(['delivered', 'applied', 'failed', 'expired'] as const),
  error: Type.Optional(linesOrNothing(500)),
  at: Instant,
})
export type Ack = Static<typeof Ack>

/** An event that happened at a station, also while it was offline; processed once per (station, bootId, seq). */
export const StationEvent = Type.Object({
  bootId: BootId,
  seq: Counter,
  at: Instant,
  kind: oneOf(['session_started', 'session_ended', 'warned', 'cleaned', 'fault'] as const),
  details: Details,
})
export type StationEvent = Static<typeof StationEvent>

/**
 * Details of `session_ended`. `version` is the document that the station had applied, so it says which added time the
 * station knew. Simple clients may send only the session: it then expired, under the version reported last.
 */
export const SessionEndedDetails = Type.Object({
  sessionId: EntityId,
  reason: Type.Optional(oneOf(['expired', 'logged_out', 'suspended_too_long'] as const)),
  version: Type.Optional(Version),
})
export type SessionEndedDetails = Static<typeof SessionEndedDetails>

/** What a visitor may leave on a station. Each kind is looked for after a session. */
export const leftoverKinds = [
  'logins',
  'processes',
  'mounts',
  'homeFiles',
  'temporaryFiles',
  'sharedMemory',
  'runtimeFiles',
  'ipcObjects',
  'messageQueues',
  'schedules',
  'mail',
  'printJobs',
  'networks',
  'crashDumps',
  'systemLogs',
] as const
export type LeftoverKind = (typeof leftoverKinds)[number]

const counts = Object.fromEntries(leftoverKinds.map((kind) => [kind, Type.Optional(Counter)]))

/**
 * Details of `cleaned`: how many of each kind were found and removed. A kind that is not named was not looked for. Simple
 * clients send no details.
 */
export const CleanedDetails = Type.Object({
  removed: Type.Object(counts as Record<LeftoverKind, Type.TOptional<typeof Counter>>),
})
export type CleanedDetails = Static<typeof CleanedDetails>

/** Details of `fault`: a code for programs, and the error for people. */
export const FaultDetails = Type.Object({
  kind: Type.String({ maxLength: 100 }),
  error: Type.Optional(Type.String({ maxLength: 2_000 })),
})
export type FaultDetails = Static<typeof FaultDetails>

/** The fault of a station that cannot prove that everything of its last visitor is gone. */
export const CLEANING_FAILED = 'cleaning-failed'

export const SiteConfig = Type.Object({
  heartbeatIntervalMs: Type.Integer({ minimum: 100 }),
  warningsSeconds: Type.Array(Seconds),
  maxSuspendedMinutes: Type.Integer({ minimum: 1 }),
  /** IANA name: all times for people are in it. Without it, a station uses its machine's time zone. */
  timeZone: Type.Optional(Type.String({ minLength: 1, maxLength: 64 })),
  language: oneOf(['fr', 'en'] as const),
  branding: Type.Object({ siteName: Type.String() }),
  terms: Type.String(),
  /** Stations also play a short tone with each warning; off without it. */
  areWarningsHeard: Type.Optional(Type.Boolean()),
})
export type SiteConfig = Static<typeof SiteConfig>

/** One message for each record of the journal: the public part of the record. */
export const DomainEvent = Type.Object({
  kind: Type.Union([oneOf(logActions), Type.String()]),
  at: Instant,
  stationId: Type.Optional(Type.String()),
  sessionId: Type.Optional(Type.String()),
  userId: Type.Optional(Type.String()),
  details: Type.Record(Type.String(), Type.Unknown()),
})
