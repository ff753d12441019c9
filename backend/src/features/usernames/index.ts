import { OPERATOR_USERNAME } from '@escale/broker'
import { AppError } from '../../errors.ts'
import type { Tables } from '../../db/database.ts'
import { createUsernameRepository } from './repository.ts'

export type Usernames = ReturnType<typeof createUsernames>

/** The names under which machines connect to the bus: one space for stations and accounts. */
export function createUsernames(database: Tables) {
  const repository = createUsernameRepository(database)
  return {
    /** Call inside a write. @throws AppError naming the field `id` when the name is reserved or taken */
    async requireFree(username: string): Promise<void> {
      if (username === OPERATOR_USERNAME) throw reservedId()
      const holder = await repository.holderOf(username)
      if (!holder) return
      const { kind, label } = holder
      const message = {
        fr: `Cette valeur est déjà celle du ${kind === 'station' ? 'poste' : 'compte'} «\u202f${label}\u202f».`,
        en: `This value already belongs to ${kind} “${label}”.`,
      }
      throw new AppError('duplicate', { detail: message, errors: [{ pointer: '/id', message }] })
    },
  }
}

/** The refusal of a name that has a meaning of its own. */
export function reservedId(): AppError {
  const message = { fr: 'Ce nom est réservé.', en: 'This name is reserved.' }
  return new AppError('duplicate', { detail: message, errors: [{ pointer: '/id', message }] })
}
