import { ConnectionRefusedError, DatabaseError, ForeignKeyConstraintError, TimeoutError } from 'sequelize'
import { expect, it } from 'vitest'
import { AppError } from '../errors.ts'
import { isTemporary } from './retries.ts'

const original = (code: string) => Object.assign(new Error(code), { code, sql: 'INSERT' })
const failed = (code: string) => new DatabaseError(original(code))

it.each([
  ['a full disk', failed('SQLITE_FULL')],
  ['a disk that fails', failed('SQLITE_IOERR')],
  ['a file that is read-only', failed('SQLITE_READONLY')],
  ['a file that is missing', failed('SQLITE_CANTOPEN')],
  ['a damaged file', failed('SQLITE_CORRUPT')],
  ['a write lock that another program holds', new TimeoutError(original('SQLITE_BUSY'))],
  ['a server that cannot be reached', new ConnectionRefusedError(original('ECONNREFUSED'))],
  ['a server without room', failed('53100')],
  ['a server that is stopped', failed('57P01')],
  ['a server that only reads', failed('25006')],
  ['a folder without room', original('ENOSPC')],
  ['what is told by another error', new AppError('internal', { cause: failed('SQLITE_FULL') })],
])('%s can be temporary', (_, err) => {
  expect(isTemporary(err)).toBe(true)
})

it.each([
  ['a broken reference', new ForeignKeyConstraintError({ parent: original('SQLITE_CONSTRAINT') })],
  ['a rule of the table', failed('SQLITE_CONSTRAINT')],
  ['a statement that is wrong', failed('SQLITE_ERROR')],
  ['a value out of range', failed('22003')],
  ['a table that does not exist', failed('42P01')],
  ['a mistake of ours', new TypeError('x is not a function')],
  ['a refusal', new AppError('not-found')],
  ['what is no error', 'text'],
])('%s is permanent', (_, err) => {
  expect(isTemporary(err)).toBe(false)
})
