import { Op } from 'sequelize'
import type { Tables } from '../../db/database.ts'
import { openTable } from '../../db/table.ts'

export type ArchiveRepository = ReturnType<typeof createArchiveRepository>

/** The list of archives; the files themselves lie beside the database. */
export function createArchiveRepository(tables: Tables) {
  const { save, remove, findAll } = openTable(tables, 'archives')
  return {
    save,
    remove,
    identifying: () => findAll({ isAnonymous: false }),
    endedBefore: (unixMs: number) => findAll({ toMs: { [Op.lt]: unixMs } }),
  }
}
