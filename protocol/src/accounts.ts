import { Type, type Static } from 'typebox'
import { operatorRoles } from './auth.ts'
import { Instant, StationId, closed, listQuery, oneOf, pageOf, replacementOf } from './schema.ts'
import { line } from './text.ts'

export const accountKinds = ['automation', 'diagnostics', 'netboot'] as const
export type AccountKind = (typeof accountKinds)[number]

const writableFields = {
  label: line(100),
  /** What an automation may ask for; the others have none. */
  role: Type.Optional(oneOf(operatorRoles)),
}

/**
 * A machine's login: an automation asks and listens, diagnostics listen to everything, netboot draws boot tokens over
 * REST and has no place on the bus. Its id is its username, unique over accounts and stations.
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

/** The answer to a creation and to a renewal: the only places where the secret is ever shown; and where to use it. */
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

export const AccountPage = pageOf(Account)
export type AccountPage = Static<typeof AccountPage>

export const AccountQuery = closed({
  ...listQuery,
  kind: Type.Optional(oneOf(accountKinds)),
  label: Type.Optional(Type.String({ maxLength: 100 })),
  role: Type.Optional(oneOf(operatorRoles)),
  isActive: Type.Optional(Type.Boolean()),
})
export type AccountQuery = Static<typeof AccountQuery>
