import { Type, type Static } from 'typebox'
import { EntityId, Instant, Seconds, StationId, closed, listQuery, oneOf } from './schema.ts'
import { line } from './text.ts'

export const EnrolInput = closed({
  enrolmentKey: Type.String({ minLength: 1, maxLength: 200 }),
  macAddress: line(64),
  hostname: line(255),
  os: line(100),
  agentVersion: line(50),
  pairingSecret: Type.Optional(Type.String({ maxLength: 200 })),
})
export type EnrolInput = Static<typeof EnrolInput>

/** A station's credentials for MQTT; the secret is shown only here. */
export const Enrolled = closed({
  stationId: StationId,
  mqttSecret: Type.String(),
  mqttUrl: Type.String(),
  caCertificate: Type.Optional(Type.String()),
  updatePublicKey: Type.Optional(Type.String()),
})
export type Enrolled = Static<typeof Enrolled>

/** The request waits for an operator. The station shows the code and asks again later. */
export const PairingPending = closed({
  pairingCode: Type.String(),
  pairingSecret: Type.String(),
  retryAfterSeconds: Seconds,
})
export type PairingPending = Static<typeof PairingPending>

export const PairingRequest = closed({
  id: EntityId,
  state: oneOf(['waiting', 'accepted'] as const),
  pairingCode: Type.String(),
  macAddress: Type.String(),
  hostname: Type.String(),
  os: Type.String(),
  agentVersion: Type.String(),
  ip: Type.Optional(Type.String()),
  stationId: Type.Optional(StationId),
  requestedAt: Instant,
  expiresAt: Instant,
})
export type PairingRequest = Static<typeof PairingRequest>

export const PairingRequestQuery = closed({
  ...listQuery,
  pairingCode: Type.Optional(Type.String({ maxLength: 16 })),
  macAddress: Type.Optional(Type.String({ maxLength: 64 })),
  hostname: Type.Optional(Type.String({ maxLength: 255 })),
  os: Type.Optional(Type.String({ maxLength: 100 })),
  agentVersion: Type.Optional(Type.String({ maxLength: 50 })),
  ip: Type.Optional(Type.String({ maxLength: 64 })),
})
export type PairingRequestQuery = Static<typeof PairingRequestQuery>

/** Accepts a request as an existing station, or as a new one when `label` is given. */
export const AcceptPairingInput = closed({
  stationId: StationId,
  label: Type.Optional(line(100)),
  location: Type.Optional(line(100)),
})
export type AcceptPairingInput = Static<typeof AcceptPairingInput>

/** The site key, for admins: an unknown station shows it to ask for credentials. */
export const EnrolmentKey = closed({ enrolmentKey: Type.String(), rotatedAt: Instant })
export type EnrolmentKey = Static<typeof EnrolmentKey>

/** For the boot script of a diskless station, which uses it as enrolment key; shown only here. */
export const BootToken = closed({
  stationId: StationId,
  macAddress: Type.String(),
  bootToken: Type.String(),
  expiresAt: Instant,
})
export type BootToken = Static<typeof BootToken>
