import { Op } from 'sequelize'
import type { StaffCallQuery } from '@escale/protocol'
import type { Tables } from '../../db/database.ts'
import { openTable } from '../../db/table.ts'
import { textsIn } from '../../domain/free-text.ts'
import type { PersonSearch, Visitor } from '../../domain/person.ts'

export type StaffCallRepository = ReturnType<typeof createStaffCallRepository>

export function createStaffCallRepository(tables: Tables) {
  const { get, findOne, findAll, insert, update, remove, page } = openTable(tables, 'staffCalls')
  const naming = async ({ isNamedIn }: PersonSearch) =>
    (await findAll({ reason: { [Op.ne]: null } })).filter(({ reason }) => isNamedIn(textsIn(reason)))

  return {
    get,
    insert,
    update,
    remove,
    findAt: (stationId: string) => findOne({ stationId }),
    all: () => findAll(),
    /** By station, the state of its open call. */
    async statesAt(stationIds: string[]): Promise<Map<string, 'waiting' | 'taken'>> {
      const open = await findAll({ stationId: stationIds })
      return new Map(open.map((call) => [call.stationId, call.takenAtMs === null ? 'waiting' : 'taken']))
    },
    async removeTexts({ search }: Pick<Visitor, 'search'>): Promise<void> {
      for (const call of await naming(search)) await update({ ...call, reason: null })
    },
    countNaming: async (search: PersonSearch): Promise<number> => (await naming(search)).length,
    findOfSessions: (sessionIds: string[]) => findAll({ sessionId: sessionIds }, [['calledAtMs', 'ASC']]),
    findRenewedBefore: (unixMs: number) =>
      findAll({ renewedAtMs: { [Op.lt]: unixMs } }, [['calledAtMs', 'ASC']]),
    /** The oldest calls come first by default. */
    list: ({ state, ...query }: StaffCallQuery) =>
      page(query, {
        orderable: ['calledAt', 'renewedAt', 'takenAt', 'stationId', 'takenBy', 'times'],
        searched: ['stationId', 'reason', 'takenBy'],
        where: state ? [{ takenAtMs: state === 'taken' ? { [Op.ne]: null } : null }] : [],
        order: [
          ['calledAtMs', 'ASC'],
          ['id', 'ASC'],
        ],
      }),
  }
}
