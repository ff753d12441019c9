import { OPERATOR_USERNAME } from '@escale/broker'
import { AppError } from '../../errors.ts'
import type { Lookup } from '../feature.ts'

type Named = Lookup<{ label: string }>

export interface UsernamePorts {
  stations: Named
  accounts: Named
}

export type Usernames = ReturnType<typeof createUsernames>

/** The names under which machines connect to the bus: one space for stations and accounts. */
export function createUsernames({ stations, accounts }: UsernamePorts) {
  return {
    /** Call inside a write. @throws AppError naming the field `id` when the name is reserved or taken */
    async requireFree(username: string): Promise<void> {
      if (username === OPERATOR_USERNAME) throw reservedId()
      const station = await stations.find(username)
      const holder = station ?? (await accounts.find(username))
      if (!holder) return
      const [fr, en] = station ? ['poste', 'station'] : ['compte', 'account']
      const message = {
        fr: `Cette valeur est déjà celle du ${fr} «\u202f${holder.label}\u202f».`,
        en: `This value already belongs to ${en} “${holder.label}”.`,
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
