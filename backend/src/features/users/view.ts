import type { User } from '@escale/protocol'
import { answerOf } from '../../db/nulls.ts'
import { memoise } from '../../domain/memoise.ts'
import type { UserRow } from '../../db/rows.ts'

export function toUser({ photoName, searchText: _text, version: _version, ...row }: UserRow): User {
  return { ...answerOf(row), hasPhoto: photoName !== null }
}

export const userJson = memoise((user: User) => JSON.stringify(user))
