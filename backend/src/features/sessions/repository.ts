import { Op, literal, type OrderItem, type WhereOptions } from 'sequelize'
import { unixMsOf } from '@escale/protocol'
import type { Tables } from '../../db/database.ts'
import { readPage } from '../../db/read-page.ts'
import type { RawRow, SessionGrantRow, SessionProfileRow, SessionRecord, SessionRow } from '../../db/rows.ts'
import { inserting, updating } from '../../db/row-statements.ts'
import { columnsOf } from '../../db/statements.ts'
import { savedColumns, sessionColumns, toSessionRecord } from '../../db/session-record.ts'
import { equalTo, type Containing } from '../../db/where.ts'
import type { SessionFilter } from '../../domain/room-lists.ts'
import type { SessionRules } from '../../domain/session.ts'
import type { PageWindow, Rows } from '../../db/page-window.ts'

export type SessionProfile = Omit<SessionProfileRow, 'sessionId'>
export type SessionRepository = ReturnType<typeof createSessionRepository>

/** The instant at which an active session ends, Unix milliseconds, as in the domain; otherwise NULL. */
const endsAtMs = literal('running_since_ms + granted_seconds * 1000.0 - consumed_ms')

const running = { state: { [Op.in]: ['active', 'suspended'] as const } }

export function createSessionRepository(tables: Tables) {
  const { models, scope, containing, statement } = tables
  const { sessions, sessionGrants, sessionProfiles } = models
  const insert = inserting(tables, sessions, `ON CONFLICT (code_hash) WHERE state = 'pending' DO NOTHING`)
  const insertGrants = inserting(tables, sessionGrants)
  const insertProfile = inserting(tables, sessionProfiles)
  const update = updating(tables, sessions, savedColumns, ['id', 'version'])
  const updateStarted = updating(tables, sessions, [...savedColumns, 'codeHash'], ['id', 'version'])
  const byId = statement(`SELECT ${columnsOf(sessions)} FROM sessions WHERE id = $1`, sessions)
  const findOne = async (where: WhereOptions<SessionRow>): Promise<SessionRecord | undefined> => {
    const row = (await sessions.findOne({ where, ...scope() }))?.get()
    return row && toSessionRecord(row)
  }
  const findAll = async (where: WhereOptions<SessionRow>): Promise<SessionRecord[]> => {
    const rows = await sessions.findAll({ where, order: [['deadlineMs', 'ASC']], ...scope() })
    return rows.map((row) => toSessionRecord(row.get()))
  }

  return {
    /** @returns false, and inserts nothing, if another pending session has the same code */
    async insert(session: SessionRecord, codeHash: string, rules: SessionRules): Promise<boolean> {
      const { id, createdBy, createdAtMs } = session
      const unvalidated = { validatedStationId: null, validatedAtMs: null, validatedBootId: null }
      const columns = {
        ...unvalidated,
        ...sessionColumns(session, rules),
        id,
        createdBy,
        createdAtMs,
        codeHash,
      }
      return (await insert(columns as SessionRow)) === 1
    },
    /**
     * Writes a session if its version has not changed;
     * @returns whether it was written
     */
    async save(session: SessionRecord, seenVersion: number, rules: SessionRules): Promise<boolean> {
      const columns = sessionColumns(session, rules)
      const save = 'codeHash' in columns ? updateStarted : update
      return (await save(columns, session.id, seenVersion)) === 1
    },
    async remove(id: string): Promise<void> {
      await sessions.destroy({ where: { id }, ...scope() })
    },
    async find(id: string): Promise<SessionRecord | undefined> {
      const row = await byId.get(id)
      return row && toSessionRecord(row)
    },
    findRunningAt: (stationId: string) => findOne({ stationId, ...running }),
    findRunningAtAny: (stationIds: string[]) => findAll({ stationId: stationIds, ...running }),
    findRunningOf: (userId: string) => findOne({ userId, ...running }),
    /** The newest session at a station that expired after `sinceMs`, Unix milliseconds. */
    async findEndedAt(stationId: string, sinceMs: number): Promise<SessionRecord | undefined> {
      const where = { stationId, endReason: 'expired' as const, endedAtMs: { [Op.gt]: sinceMs } }
      const row = await sessions.findOne({ where, order: [['endedAtMs', 'DESC']], ...scope() })
      return row ? toSessionRecord(row.get()) : undefined
    },
    findUnendedOf: (userId: string) => findAll({ userId, state: { [Op.ne]: 'ended' } }),
    findByIds: (ids: string[]) => findAll({ id: ids }),
    findUnended: () => findAll({ state: { [Op.ne]: 'ended' } }),
    async list(filter: SessionFilter, { limit, offset, order }: PageWindow): Promise<Rows<SessionRecord>> {
      const { count, rows } = await readPage(sessions, {
        where: whereOf(filter, containing),
        order: [...orderBy(order), ['createdAtMs', 'DESC'], ['id', 'ASC']],
        limit,
        offset,
        // Read often, and building Sequelize's rows takes longer than the query.
        raw: true,
        ...scope(),
      })
      return { count, rows: (rows as unknown as RawRow<SessionRow>[]).map(recordOf) }
    },
    async countCreatedSince(userId: string, sinceMs: number): Promise<number> {
      return sessions.count({ where: { userId, createdAtMs: { [Op.gte]: sinceMs } }, ...scope() })
    },
    async forgetUser(userId: string): Promise<void> {
      await sessions.update({ userId: null }, { where: { userId }, ...scope() })
    },
    async countUsersSince(sinceMs: number): Promise<number> {
      const where = { createdAtMs: { [Op.gte]: sinceMs }, userId: { [Op.ne]: null } }
      return sessions.count({ where, distinct: true, col: 'user_id', ...scope() })
    },
    /** Stores the statistics profile of a new session's visitor. */
    async insertProfile(sessionId: string, profile: SessionProfile): Promise<void> {
      await insertProfile({ sessionId, ...profile })
    },
    /** Replaces the statistics profile of a session's visitor; none for an anonymous pass. */
    async saveProfile(sessionId: string, profile: SessionProfile | undefined): Promise<void> {
      await sessionProfiles.destroy({ where: { sessionId }, ...scope() })
      if (profile) await insertProfile({ sessionId, ...profile })
    },
    /** Moves the times of code validations with the clock. */
    async shiftValidations(byMs: number): Promise<void> {
      const validatedAtMs = literal(`validated_at_ms + (${byMs})`)
      await sessions.update(
        { validatedAtMs },
        {
          where: { validatedAtMs: { [Op.ne]: null } },
          ...scope(),
        },
      )
    },
    async isValidated(
      id: string,
      by: { stationId: string; bootId?: string; sinceMs: number },
    ): Promise<boolean> {
      const validated = { validatedStationId: by.stationId, validatedBootId: by.bootId ?? null }
      const where = { id, ...validated, validatedAtMs: { [Op.gte]: by.sinceMs } }
      return (await sessions.count({ where, ...scope() })) > 0
    },
    async insertGrants(grants: readonly SessionGrantRow[]): Promise<void> {
      await insertGrants(...grants)
    },
    /** Seconds granted by documents newer than the one that a station has applied. */
    async unseenSeconds(sessionId: string, appliedVersion: number): Promise<number> {
      const where = { sessionId, desiredVersion: { [Op.gt]: appliedVersion } }
      const rows = await sessionGrants.findAll({ where, ...scope() })
      return rows.reduce((sum, row) => sum + row.get().seconds, 0)
    },
    async stats(sinceMs: number) {
      const count = (where: WhereOptions<SessionRow>) => sessions.count({ where, ...scope() })
      const today = { createdAtMs: { [Op.gte]: sinceMs } }
      const ended = { state: 'ended' as const, startedAtMs: { [Op.ne]: null } }
      const averageMs = await sessions.aggregate('consumedMs', 'avg', { where: ended, ...scope() })
      const grantedToday = await sessions.sum('grantedSeconds', { where: today, ...scope() })
      return {
        total: await count({}),
        pending: await count({ state: 'pending' }),
        active: await count({ state: 'active' }),
        suspended: await count({ state: 'suspended' }),
        ended: await count({ state: 'ended' }),
        createdToday: await count(today),
        grantedSecondsToday: grantedToday || 0,
        averageElapsedMs: Number(averageMs) || 0,
      }
    },
  }
}

const recordOf = (row: RawRow<SessionRow>): SessionRecord =>
  toSessionRecord({ ...row, mayOutliveClosing: Boolean(row.mayOutliveClosing) })

function orderBy(order: PageWindow['order']): OrderItem[] {
  if (!order) return []
  const [column, direction] = order
  return [[column === 'endsAtMs' ? endsAtMs : column, direction]]
}

function whereOf(
  { search, from, to, hasCredit, ...equal }: SessionFilter,
  containing: Containing,
): WhereOptions<SessionRow> {
  const conditions = [equalTo<SessionRow>(equal)]
  if (hasCredit !== undefined) conditions.push({ creditSeconds: hasCredit ? { [Op.gt]: 0 } : 0 })
  if (from !== undefined) conditions.push({ createdAtMs: { [Op.gte]: unixMsOf(from) } })
  if (to !== undefined) conditions.push({ createdAtMs: { [Op.lte]: unixMsOf(to) } })
  if (search) conditions.push(containing<SessionRow>(['id', 'userId', 'stationId', 'createdBy'], search))
  return { [Op.and]: conditions }
}
