import { Op } from 'sequelize'
import type { StaffCallQuery } from '@escale/protocol'
import type { Tables } from '../../db/database.ts'
import { openTable } from '../../db/table.ts'

export type StaffCallRepository = ReturnType<typeof createStaffCallRepository>

export function createStaffCallRepository(tables: Tables) {
  const { get, findOne, findAll, insert, update, remove, page } = openTable(tables, 'staffCalls')
  return {
    get,
    insert,
    update,
    remove,
    findAt: (stationId: string) => findOne({ stationId }),
    all: () => findAll(),
    findAtAny: (stationIds: string[]) => findAll({ stationId: stationIds }),
    findOfSession: (sessionId: string) => findAll({ sessionId }, [['calledAtMs', 'ASC']]),
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
