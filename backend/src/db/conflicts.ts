import { UniqueConstraintError } from 'sequelize'
import { AppError } from '../errors.ts'

const RUNNING_KEYS = ['station_id', 'user_id']

/**
 * The meaning of constraint errors of the database. Services check first and give better messages; this is for
 * conflicts that pass their checks, such as a change by hand.
 */
export function toConflict(err: unknown): unknown {
  if (!(err instanceof UniqueConstraintError)) return err
  // For SQLite, Sequelize returns a list here, despite its types.
  const columns = Array.isArray(err.fields) ? (err.fields as string[]) : Object.keys(err.fields)
  const [column] = columns
  if (isOfSessions(err) && column !== undefined && RUNNING_KEYS.includes(column))
    return new AppError('session-active', { cause: err })
  const message = { fr: 'Cette valeur est déjà prise.', en: 'This value is already taken.' }
  const errors = columns.map((name) => ({ pointer: `/${toCamelCase(name)}`, message }))
  return new AppError('duplicate', { errors, cause: err })
}

/** SQLite reports table and columns, PostgreSQL the index. */
const isOfSessions = ({ parent }: UniqueConstraintError) => /\bsessions[._]/.test(parent.message)

const toCamelCase = (name: string) => name.replace(/_(\w)/g, (_, letter: string) => letter.toUpperCase())
