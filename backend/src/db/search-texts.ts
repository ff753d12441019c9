import { phoneDigitsOf, searchTextOf } from '../domain/search-text.ts'
import type { UserRow } from './rows.ts'

type Searched = Pick<UserRow, 'lastName' | 'firstName' | 'email' | 'phone' | 'municipality'>

/** The search text of a user. */
export function userSearchTextOf({ lastName, firstName, email, phone, municipality }: Searched): string {
  const digits = phone === null ? [] : phoneDigitsOf(phone)
  return searchTextOf([lastName, firstName, email, phone, municipality, ...digits])
}
