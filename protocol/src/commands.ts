import { Type, type Static, type TSchema } from 'typebox'
import { commandOps } from './mqtt/payloads.ts'
import { EntityId, Instant, StationId, closed, listQuery, oneOf } from './schema.ts'
import { line, lines } from './text.ts'

const Nothing = Type.Object({})
const Delay = Type.Object({ delaySeconds: Type.Optional(Type.Integer({ minimum: 0, maximum: 3_600 })) })

/** The schema of each command's `params`. `lock` and `logout` are only hints: the station follows `desired`. */
export const commandParams = {
  message: Type.Object({
    text: lines(500),
    level: Type.Optional(oneOf(['info', 'warning'] as const)),
  }),
  lock: Nothing,
  logout: Nothing,
  reboot: Delay,
  shutdown: Delay,
  identify: Nothing,
  update: Type.Object({
    version: line(50),
    url: line(2_000),
    signature: line(2_000),
  }),
  /** Id of a pending command to the same station. */
  cancel: Type.Object({ commandId: EntityId }),
} as const satisfies Record<(typeof commandOps)[number], TSchema>

/** What an operator may send: the MQTT commands, and `wake`, which goes over the LAN to a machine that is off. */
export const orderOps = [...commandOps, 'wake'] as const
export type OrderOp = (typeof orderOps)[number]

/** Commands that may wait and can be cancelled until they run; the others run at once. */
export const cancellableOps: readonly OrderOp[] = ['message', 'reboot', 'shutdown', 'identify', 'update']

/** Why a station could not carry out a command: the `error` of its answer. */
export const commandFailures = [
  'invalid-params',
  'power-not-managed',
  'power-not-allowed',
  'power-unavailable',
  'power-failed',
  'screen-not-open',
  'session-still-open',
  'update-unavailable',
  'cancelled',
  'superseded',
  'not-pending',
  'interrupted',
] as const
export type CommandFailureCode = (typeof commandFailures)[number]

export const DEFAULT_COMMAND_SECONDS = 60

const orderFields = {
  op: oneOf(orderOps),
  params: Type.Optional(Type.Record(Type.String(), Type.Unknown())),
  expiresInSeconds: Type.Optional(Type.Integer({ minimum: 1, maximum: 86_400 })),
}

/** A command to one station. */
export const CommandInput = closed(orderFields)
export type CommandInput = Static<typeof CommandInput>

/** The same command to several stations. Exactly one of `stationIds`, `location` and `all` selects them. */
export const CommandsInput = closed({
  ...orderFields,
  stationIds: Type.Optional(Type.Array(StationId, { minItems: 1, maxItems: 1_000 })),
  location: Type.Optional(line(100)),
  all: Type.Optional(Type.Literal(true)),
})
export type CommandsInput = Static<typeof CommandsInput>

/** `delivered`: the station has received it. The last three are final. */
export const commandStatuses = ['sent', 'delivered', 'applied', 'failed', 'expired'] as const
export type CommandStatus = (typeof commandStatuses)[number]

/** A command and its result; times are of the server's clock. */
export const StationCommand = closed({
  id: EntityId,
  stationId: StationId,
  /** The same for all commands that were sent together. */
  batchId: EntityId,
  op: oneOf(orderOps),
  params: Type.Record(Type.String(), Type.Unknown()),
  status: oneOf(commandStatuses),
  createdBy: Type.String(),
  sentAt: Instant,
  expiresAt: Instant,
  deliveredAt: Type.Optional(Instant),
  appliedAt: Type.Optional(Instant),
  failedAt: Type.Optional(Instant),
  expiredAt: Type.Optional(Instant),
  /** Why it failed or expired, as the station reported. */
  error: Type.Optional(Type.String()),
})
export type StationCommand = Static<typeof StationCommand>

export const SentCommands = closed({
  commands: Type.Array(closed({ id: EntityId, stationId: StationId })),
})
export type SentCommands = Static<typeof SentCommands>

export const CommandQuery = closed({
  ...listQuery,
  stationId: Type.Optional(StationId),
  batchId: Type.Optional(EntityId),
  op: Type.Optional(oneOf(orderOps)),
  status: Type.Optional(oneOf(commandStatuses)),
  createdBy: Type.Optional(Type.String({ maxLength: 100 })),
  from: Type.Optional(Instant),
  to: Type.Optional(Instant),
})
export type CommandQuery = Static<typeof CommandQuery>
