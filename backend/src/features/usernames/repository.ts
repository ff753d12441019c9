import type { Tables } from '../../db/database.ts'

export function createUsernameRepository({ models: { stations, accounts }, scope }: Tables) {
  return {
    /** What people call the station or account of that name. */
    async holderOf(username: string): Promise<{ kind: 'station' | 'account'; label: string } | undefined> {
      const station = await stations.findByPk(username, scope())
      if (station) return { kind: 'station', label: station.get().label }
      const account = await accounts.findByPk(username, scope())
      return account ? { kind: 'account', label: account.get().label } : undefined
    },
  }
}
