import { Op, literal, type WhereOptions } from 'sequelize'
import { normalisePhone, type UserQuery } from '@escale/protocol'
import type { Tables } from '../../db/database.ts'
import type { RawRow, UserRow } from '../../db/rows.ts'
import { equalTo, type Containing } from '../../db/where.ts'
import { userSearchTextOf } from '../../db/search-texts.ts'
import { searchTermsOf } from '../../domain/search-text.ts'
import type { PageWindow, Rows } from '../../db/page-window.ts'

export type UserFilter = Omit<UserQuery, 'page' | 'pageSize' | 'ordering'>
export type UserRepository = ReturnType<typeof createUserRepository>

export function createUserRepository({ models: { users }, scope, containing }: Tables) {
  return {
    async insert(row: UserRow): Promise<void> {
      await users.create(withSearchText(row), scope())
    },
    async find(id: string): Promise<UserRow | undefined> {
      return (await users.findByPk(id, scope()))?.get()
    },
    async list(
      { search, phone, hasOpenSession, ...equal }: UserFilter,
      { limit, offset, order }: PageWindow,
    ): Promise<Rows<UserRow>> {
      const { count, rows } = await users.findAndCountAll({
        where: {
          [Op.and]: [
            equalTo<UserRow>({ ...equal, phone: phone && (normalisePhone(phone) ?? phone) }),
            ...searchedBy(search, containing),
            ...havingOpenSession(hasOpenSession),
          ],
        },
        order: [...(order ? [order] : []), ['searchText', 'ASC'], ['id', 'ASC']],
        limit,
        offset,
        // Building Sequelize's own rows takes longer than the query.
        raw: true,
        ...scope(),
      })
      return { count, rows: (rows as unknown as RawRow<UserRow>[]).map(rowOf) }
    },
    async update(row: UserRow): Promise<void> {
      await users.update(withSearchText(row), { where: { id: row.id }, ...scope() })
    },
    async remove(id: string): Promise<void> {
      await users.destroy({ where: { id }, ...scope() })
    },
    async count(where: WhereOptions<UserRow> = {}): Promise<number> {
      return users.count({ where, ...scope() })
    },
    async photoNames(): Promise<string[]> {
      const rows = await users.findAll({
        attributes: ['photoName'],
        where: { photoName: { [Op.ne]: null } },
        ...scope(),
      })
      return rows.flatMap((row) => row.get().photoName ?? [])
    },
    async countCreatedSince(sinceMs: number): Promise<number> {
      return users.count({ where: { createdAtMs: { [Op.gte]: sinceMs } }, ...scope() })
    },
  }
}

const rowOf = (row: RawRow<UserRow>): UserRow => ({ ...row, consentGiven: Boolean(row.consentGiven) })

const withSearchText = (row: UserRow): UserRow => ({
  ...row,
  searchText: userSearchTextOf(row),
})

const withOpenSession = literal(
  "(SELECT user_id FROM sessions WHERE state <> 'ended' AND user_id IS NOT NULL)",
)

function havingOpenSession(wanted: boolean | undefined): WhereOptions<UserRow>[] {
  return wanted === undefined ? [] : [{ id: { [wanted ? Op.in : Op.notIn]: withOpenSession } }]
}

/** Every word must be found, in whichever field; or the digits, where all of it may be a telephone number. */
function searchedBy(search: string | undefined, containing: Containing): WhereOptions<UserRow>[] {
  const { words, phone } = searchTermsOf(search ?? '')
  const found = (text: string) => containing<UserRow>(['searchText'], text)
  const all = words.map(found)
  return phone === undefined ? all : [{ [Op.or]: [found(phone), { [Op.and]: all }] }]
}
