import { Type, type Static } from 'typebox'
import { EntityId, Instant, Seconds, StationId, closed, oneOf, pageQuery } from './schema.ts'

/** What is counted: failed codes, enrolments and sign-ins, by station, account or address. */
export const throttleKinds = [
  'station-code',
  'address-code',
  'address-enrolment',
  'account-login',
  'account-address-login',
  'address-login',
] as const
export type ThrottleKind = (typeof throttleKinds)[number]

/** An active block after too many failures: further attempts are refused until it ends or is lifted. */
export const Throttle = closed({
  /** Opaque: does not reveal what is blocked. */
  id: EntityId,
  kind: oneOf(throttleKinds),
  stationId: Type.Optional(StationId),
  /** An IPv4 address, or an IPv6 network of 64 bits. */
  ip: Type.Optional(Type.String()),
  /** Only when an operator has this name: people sometimes type a password as their username. */
  username: Type.Optional(Type.String()),
  failures: Seconds,
  blockedUntil: Instant,
  retryAfterSeconds: Seconds,
})
export type Throttle = Static<typeof Throttle>

export const ThrottleQuery = closed({
  ...pageQuery,
  kind: Type.Optional(oneOf(throttleKinds)),
  stationId: Type.Optional(StationId),
  ip: Type.Optional(Type.String({ pattern: '^[0-9a-fA-F:./]{2,64}$' })),
})
export type ThrottleQuery = Static<typeof ThrottleQuery>
