import { Type, type Static } from 'typebox'
import { operatorRoles } from './auth.ts'
import { EntityId, Instant, closed, listQuery, oneOf, replacementOf } from './schema.ts'

/** Shortest password that an operator may choose, characters. */
export const MIN_PASSWORD_LENGTH = 12

/** The server refuses weak passwords with `weak-password`. */
const Password = Type.String({ minLength: 1, maxLength: 1_000 })
const Username = Type.String({ pattern: '^[a-z0-9][a-z0-9._-]{0,63}$' })
/** As typed: phones begin with a capital. It is stored as {@link normaliseUsername} returns it. */
const TypedUsername = Type.String({ pattern: '^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$' })

/** The normal form of a typed username: Unicode NFKC, lower case, without surrounding blanks. */
export function normaliseUsername(typed: string): string {
  return typed.normalize('NFKC').trim().toLowerCase()
}

/** A member of staff who signs in. */
export const Operator = closed({
  id: EntityId,
  username: Username,
  role: oneOf(operatorRoles),
  isActive: Type.Boolean(),
  createdAt: Instant,
})
export type Operator = Static<typeof Operator>

export const OperatorInput = closed({
  username: TypedUsername,
  role: oneOf(operatorRoles),
  password: Password,
})
export type OperatorInput = Static<typeof OperatorInput>

/** Without a password, the operator keeps the current one. */
export const OperatorReplacement = replacementOf(
  closed({ role: oneOf(operatorRoles), isActive: Type.Boolean(), password: Type.Optional(Password) }),
  Operator,
)
export type OperatorReplacement = Static<typeof OperatorReplacement>

export const OperatorQuery = closed({
  ...listQuery,
  username: Type.Optional(Type.String({ maxLength: 64 })),
  role: Type.Optional(oneOf(operatorRoles)),
  isActive: Type.Optional(Type.Boolean()),
})
export type OperatorQuery = Static<typeof OperatorQuery>
