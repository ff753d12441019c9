import { Op } from 'sequelize'
import type { Tables } from '../../db/database.ts'
import type { ArchiveRow } from '../../db/rows.ts'

export type ArchiveRepository = ReturnType<typeof createArchiveRepository>

/** The list of archives; the files themselves lie beside the database. */
export function createArchiveRepository({ models: { archives }, scope }: Tables) {
  const rowsOf = (rows: { get(): ArchiveRow }[]) => rows.map((row) => row.get())
  return {
    async save(row: ArchiveRow): Promise<void> {
      await archives.upsert(row, scope())
    },
    async remove(file: string): Promise<void> {
      await archives.destroy({ where: { file }, ...scope() })
    },
    async identifying(): Promise<ArchiveRow[]> {
      return rowsOf(await archives.findAll({ where: { isAnonymous: false }, ...scope() }))
    },
    async endedBefore(unixMs: number): Promise<ArchiveRow[]> {
      return rowsOf(await archives.findAll({ where: { toMs: { [Op.lt]: unixMs } }, ...scope() }))
    },
  }
}
