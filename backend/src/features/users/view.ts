import { instantOf, type User } from '@escale/protocol'
import { withoutNulls } from '../../db/nulls.ts'
import type { UserRow } from '../../db/rows.ts'

export function toUser(row: UserRow): User {
  const {
    consentAtMs,
    consentRevokedAtMs,
    createdAtMs,
    updatedAtMs,
    photoName,
    searchText: _searchText,
    version: _version,
    ...rest
  } = withoutNulls(row)
  return {
    ...rest,
    hasPhoto: photoName !== undefined,
    ...(consentAtMs === undefined ? {} : { consentAt: instantOf(consentAtMs) }),
    ...(consentRevokedAtMs === undefined ? {} : { consentRevokedAt: instantOf(consentRevokedAtMs) }),
    createdAt: instantOf(createdAtMs),
    updatedAt: instantOf(updatedAtMs),
  }
}
