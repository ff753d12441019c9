import { Op, literal, type WhereOptions } from 'sequelize'
import type { Tables } from '../../db/database.ts'
import type { LogRow } from '../../db/rows.ts'
import { textsIn } from '../../domain/free-text.ts'
import type { PersonSearch, Visitor } from '../../domain/person.ts'
import { logsSaying, searchTextHolds } from './repository.ts'

const BATCH = 1_000

export type RecordTexts = ReturnType<typeof createRecordTextRepository>

/** Texts in the journal that are about a person. */
export function createRecordTextRepository(database: Tables) {
  const { models, scope } = database
  const { logs, logNotes } = models

  /** Ids of the records whose notes name the person. */
  async function notesNaming({ candidates, isNamedIn }: PersonSearch): Promise<number[]> {
    const found = candidates.map((text) => literal(searchTextHolds(database, text)))
    const rows = await logNotes.findAll({
      attributes: ['logId', 'searchText'],
      where: { [Op.or]: found },
      ...scope(),
    })
    return rows.filter((row) => isNamedIn(row.get().searchText)).map((row) => row.get().logId)
  }

  /** Records about the user, their sessions, and the stations while they used them. */
  async function recordsAbout({ userId, sessionIds, visits }: Visitor): Promise<number[]> {
    const atStations = visits.map(({ stationId, fromMs, toMs }): WhereOptions<LogRow> => {
      return { stationId, atMs: { [Op.between]: [fromMs, toMs] } }
    })
    const ids: number[] = []
    for (const where of [{ userId }, { sessionId: sessionIds }, ...atStations]) {
      const rows = await logs.findAll({ attributes: ['id'], where, ...scope() })
      for (const row of rows) ids.push(row.get().id)
    }
    return ids
  }

  return {
    async removeTexts(visitor: Visitor): Promise<void> {
      const named = await notesNaming(visitor.search)
      const ids = [...new Set([...named, ...(await recordsAbout(visitor))])]
      for (let at = 0; at < ids.length; at += BATCH)
        await logNotes.destroy({ where: { logId: ids.slice(at, at + BATCH) }, ...scope() })
    },
    async countNaming(search: PersonSearch): Promise<number> {
      const saying = search.candidates.map((text) => logsSaying(database, ['details', 'actorLabel'], text))
      const found = await logs.findAll({ where: { [Op.or]: saying }, ...scope() })
      const notes = new Set(await notesNaming(search))
      return found
        .map((row) => row.get())
        .filter(
          ({ id, details, actorLabel }) =>
            notes.has(id) || search.isNamedIn(textsIn([JSON.parse(details), actorLabel])),
        ).length
    },
    /** Records with the id of a user, which identifies nobody once the user is erased. */
    countOfUser: (userId: string): Promise<number> => logs.count({ where: { userId }, ...scope() }),
  }
}
