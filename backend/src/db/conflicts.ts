import { UniqueConstraintError } from 'sequelize'
import { AppError } from '../errors.ts'

const RUNNING_KEYS = ['station_id', 'user_id']

/**
 * What the database's own guards mean to a caller. Checks come first and say more; this is for what gets past
 * them, such as a change that was made by hand.
 */
export function toConflict(err: unknown): unknown {
  if (!(err instanceof UniqueConstraintError)) return err
  // For SQLite Sequelize hands out a list here, whatever its types say.
  const columns = Array.isArray(err.fields) ? (err.fields as string[]) : Object.keys(err.fields)
  const [column] = columns
  if (isOfSessions(err) && column !== undefined && RUNNING_KEYS.includes(column))
    return new AppError('session-active', { cause: err })
  const message = { fr: 'Cette valeur est déjà prise.', en: 'This value is already taken.' }
  const errors = columns.map((name) => ({ pointer: `/${toCamelCase(name)}`, message }))
  return new AppError('duplicate', { errors, cause: err })
}

/** SQLite names the columns with their table, PostgreSQL the index. */
const isOfSessions = ({ parent }: UniqueConstraintError) => /\bsessions[._]/.test(parent.message)

const toCamelCase = (name: string) => name.replace(/_(\w)/g, (_, letter: string) => letter.toUpperCase())
