import { Op, QueryTypes, literal, type WhereOptions } from 'sequelize'
import type { Tables } from '../../db/database.ts'
import { toSessionRecord } from '../../db/session-record.ts'
import type { CommandRow, LogRow, SessionRecord, StaffCallRow, UserRow } from '../../db/rows.ts'
import { textsIn } from '../../domain/free-text.ts'
import type { PersonSearch } from '../../domain/person.ts'
import { foldText } from '../../domain/search-text.ts'
import { logsSaying } from '../logs/index.ts'

/** A text about a station may be about the visitor who sat there, up to this long after the session. */
const AFTERWARDS_MS = 10 * 60_000
const BATCH = 1_000

export type PrivacyRepository = ReturnType<typeof createPrivacyRepository>

/** Finds and removes texts about a person in all tables. */
export function createPrivacyRepository(database: Tables) {
  const { models, sequelize, scope, containing } = database
  const { users, sessions, sessionProfiles, logs, logNotes, commands, staffCalls } = models
  const position = sequelize.getDialect() === 'sqlite' ? 'instr' : 'strpos'

  /** Ids of the records whose notes name the person. */
  async function notesNaming({ candidates, isNamedIn }: PersonSearch): Promise<number[]> {
    const found = candidates.map((text) => literal(`${position}(search_text, ${sequelize.escape(text)}) > 0`))
    const rows = await logNotes.findAll({
      attributes: ['logId', 'searchText'],
      where: { [Op.or]: found },
      ...scope(),
    })
    return rows.filter((row) => isNamedIn(row.get().searchText)).map((row) => row.get().logId)
  }

  /** Records about the user, their sessions, and the stations while they used them. */
  async function logsAbout(userId: string, theirs: SessionRecord[], nowMs: number): Promise<number[]> {
    const atStations = theirs.flatMap(
      ({ stationId, startedAtMs, endedAtMs = nowMs }): WhereOptions<LogRow>[] =>
        stationId === undefined || startedAtMs === undefined
          ? []
          : [{ stationId, atMs: { [Op.between]: [startedAtMs, endedAtMs + AFTERWARDS_MS] } }],
    )
    const ids: number[] = []
    for (const where of [{ userId }, { sessionId: theirs.map(({ id }) => id) }, ...atStations]) {
      const rows = await logs.findAll({ attributes: ['id'], where, ...scope() })
      for (const row of rows) ids.push(row.get().id)
    }
    return ids
  }

  /** Commands with a text that names the person, or that went to their station while they used it. */
  async function commandsAbout(
    search: PersonSearch,
    theirs: SessionRecord[],
    nowMs: number,
  ): Promise<string[]> {
    const isTheirs = ({ stationId, sentAtMs }: CommandRow) =>
      theirs.some(
        ({ stationId: place, startedAtMs = Infinity, endedAtMs = nowMs }) =>
          place === stationId && sentAtMs >= startedAtMs && sentAtMs <= endedAtMs + AFTERWARDS_MS,
      )
    const found: string[] = []
    for (let after = ''; ;) {
      const rows = await commands.findAll({
        where: { id: { [Op.gt]: after }, [Op.or]: [{ op: 'message' }, { error: { [Op.ne]: null } }] },
        order: [['id', 'ASC']],
        limit: BATCH,
        ...scope(),
      })
      for (const row of rows) {
        const command = row.get()
        const text = textsIn([JSON.parse(command.params), command.error])
        if (isTheirs(command) || search.isNamedIn(text)) found.push(command.id)
        after = command.id
      }
      if (rows.length < BATCH) return found
    }
  }

  async function callsNaming({ isNamedIn }: PersonSearch): Promise<StaffCallRow[]> {
    const rows = await staffCalls.findAll({ where: { reason: { [Op.ne]: null } }, ...scope() })
    return rows.map((row) => row.get()).filter(({ reason }) => isNamedIn(textsIn(reason)))
  }

  return {
    async sessionsOf(userId: string): Promise<SessionRecord[]> {
      const rows = await sessions.findAll({ where: { userId }, order: [['createdAtMs', 'ASC']], ...scope() })
      return rows.map((row) => toSessionRecord(row.get()))
    },

    /** Whether any other user has the same first name. */
    async isFirstNameShared({ id, firstName }: UserRow): Promise<boolean> {
      const folded = foldText(firstName)
      const rows = await users.findAll({
        attributes: ['firstName'],
        where: { [Op.and]: [{ id: { [Op.ne]: id } }, containing<UserRow>(['searchText'], firstName)] },
        ...scope(),
      })
      return rows.some((row) => foldText(row.get().firstName) === folded)
    },

    /** Removes the texts about a person outside their own row. */
    async removeTexts(
      userId: string,
      theirs: SessionRecord[],
      search: PersonSearch,
      nowMs: number,
    ): Promise<void> {
      const logIds = new Set([...(await notesNaming(search)), ...(await logsAbout(userId, theirs, nowMs))])
      for (const ids of batchesOf([...logIds])) await logNotes.destroy({ where: { logId: ids }, ...scope() })
      const commandIds = await commandsAbout(search, theirs, nowMs)
      for (const ids of batchesOf(commandIds)) await commands.destroy({ where: { id: ids }, ...scope() })
      const calls = (await callsNaming(search)).map(({ id }) => id)
      await staffCalls.update({ reason: null }, { where: { id: calls }, ...scope() })
    },

    /** Removes a municipality or an occupation that few other persons have from the profiles of a person's sessions. */
    async blurProfiles(userId: string, smallestGroup: number): Promise<void> {
      const theirs = literal(`(SELECT id FROM sessions WHERE user_id = ${sequelize.escape(userId)})`)
      const rows = await sessionProfiles.findAll({ where: { sessionId: { [Op.in]: theirs } }, ...scope() })
      for (const column of ['municipality', 'occupation'] as const) {
        for (const value of new Set(rows.map((row) => row.get()[column]))) {
          if (value === null) continue
          const [others] = await sequelize.query<{ persons: number }>(
            `SELECT COUNT(DISTINCT COALESCE(s.user_id, s.id)) AS persons
              FROM session_profiles p JOIN sessions s ON s.id = p.session_id
              WHERE p.${column} = :value AND (s.user_id IS NULL OR s.user_id <> :userId)`,
            { replacements: { value, userId }, type: QueryTypes.SELECT, ...scope() },
          )
          if ((others?.persons ?? 0) >= smallestGroup) continue
          const where = { sessionId: { [Op.in]: theirs }, [column]: value }
          await sessionProfiles.update({ [column]: null }, { where, ...scope() })
        }
      }
    },

    /** What is left of a person: rows that point to them, and rows that name them. */
    async left(user: UserRow, search: PersonSearch) {
      const { id } = user
      const saying = search.candidates.map((text) => logsSaying(database, ['details', 'actorLabel'], text))
      const named = await logs.findAll({ where: { [Op.or]: saying }, ...scope() })
      const notes = new Set(await notesNaming(search))
      const isNamed = ({ id: logId, details, actorLabel }: LogRow) =>
        notes.has(logId) || search.isNamedIn(textsIn([JSON.parse(details), actorLabel]))
      return {
        users: await users.count({ where: { id }, ...scope() }),
        sessions: await sessions.count({ where: { userId: id }, ...scope() }),
        commands: (await commandsAbout(search, [], 0)).length,
        calls: (await callsNaming(search)).length,
        logsNaming: named.filter((row) => isNamed(row.get())).length,
        /** The journal keeps the user's id, which no longer identifies anybody. */
        logsWithIdOnly: await logs.count({ where: { userId: id }, ...scope() }),
      }
    },
  }
}

function batchesOf<T>(all: readonly T[]): T[][] {
  return Array.from({ length: Math.ceil(all.length / BATCH) }, (_, i) =>
    all.slice(i * BATCH, (i + 1) * BATCH),
  )
}
