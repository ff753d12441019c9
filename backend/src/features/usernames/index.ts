import { OPERATOR_USERNAME } from '@escale/broker'
import { AppError } from '../../errors.ts'
import type { Lookup } from '../feature.ts'

type Named = Lookup<{ label: string }>

export interface UsernamePorts {
  stations: Named
  accounts: Named
}

export type Usernames = ReturnType<typeof createUsernames>

/** The usernames of machines on the bus. Stations and accounts share them. */
export function createUsernames({ stations, accounts }: UsernamePorts) {
  return {
    /**
     * Call it inside a write.
     * @throws AppError naming the field `id` if the name is reserved or used
     */
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

/** The refusal of a reserved name. */
export function reservedId(): AppError {
  const message = { fr: 'Ce nom est réservé.', en: 'This name is reserved.' }
  return new AppError('duplicate', { detail: message, errors: [{ pointer: '/id', message }] })
}
