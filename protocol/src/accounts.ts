import { Type, type Static } from 'typebox'
import { operatorRoles } from './auth.ts'
import { Instant, StationId, closed, listQuery, oneOf, replacementOf } from './schema.ts'
import { line } from './text.ts'

export const accountKinds = ['automation', 'diagnostics', 'netboot'] as const
export type AccountKind = (typeof accountKinds)[number]

const writableFields = {
  label: line(100),
  /** What an automation may do; other kinds have no role. */
  role: Type.Optional(oneOf(operatorRoles)),
}

/**
 * A machine's login. An automation sends requests and listens, diagnostics listens to everything, netboot gets boot
 * tokens by REST and cannot use MQTT. The id is the username, unique among accounts and stations.
 */
export const Account = closed({
  id: StationId,
  kind: oneOf(accountKinds),
  ...writableFields,
  isActive: Type.Boolean(),
  createdAt: Instant,
  updatedAt: Instant,
})
export type Account = Static<typeof Account>

export const AccountInput = closed({ id: StationId, kind: oneOf(accountKinds), ...writableFields })
export type AccountInput = Static<typeof AccountInput>

/** The answer when an account is created or its secret renewed: the secret is shown only here. */
export const AccountWithSecret = closed({
  ...Account.properties,
  secret: Type.String(),
  mqttUrl: Type.String(),
})
export type AccountWithSecret = Static<typeof AccountWithSecret>

export const AccountReplacement = replacementOf(
  closed({ ...writableFields, isActive: Type.Boolean() }),
  AccountWithSecret,
)
export type AccountReplacement = Static<typeof AccountReplacement>

export const AccountQuery = closed({
  ...listQuery,
  kind: Type.Optional(oneOf(accountKinds)),
  label: Type.Optional(Type.String({ maxLength: 100 })),
  role: Type.Optional(oneOf(operatorRoles)),
  isActive: Type.Optional(Type.Boolean()),
})
export type AccountQuery = Static<typeof AccountQuery>
