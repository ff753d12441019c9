import { Type, type Static } from 'typebox'
import { EntityId, closed, oneOf } from './schema.ts'

export const operatorRoles = ['admin', 'operator', 'viewer'] as const
export type OperatorRole = (typeof operatorRoles)[number]

export const LoginInput = closed({
  username: Type.String({ minLength: 1, maxLength: 100 }),
  password: Type.String({ minLength: 1, maxLength: 1_000 }),
})
export type LoginInput = Static<typeof LoginInput>

export const TokenPair = closed({ access: Type.String(), refresh: Type.String() })
export type TokenPair = Static<typeof TokenPair>

export const RefreshInput = closed({ refresh: Type.String({ minLength: 1, maxLength: 500 }) })

export const VerifyInput = closed({ token: Type.String({ minLength: 1, maxLength: 4_000 }) })

/** An operator changes their own password. */
export const OwnPasswordInput = closed({
  currentPassword: Type.String({ minLength: 1, maxLength: 1_000 }),
  newPassword: Type.String({ minLength: 1, maxLength: 1_000 }),
})
export type OwnPasswordInput = Static<typeof OwnPasswordInput>

/** The contents of an access token. */
export const AccessClaims = Type.Object({
  sub: EntityId,
  username: Type.String(),
  role: oneOf(operatorRoles),
  exp: Type.Integer(),
  /** The sign-in that it belongs to, and ends with. Tokens of commands on the server's machine have none. */
  sid: Type.Optional(Type.String()),
})
export type AccessClaims = Static<typeof AccessClaims>
