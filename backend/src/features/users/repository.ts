import { Op, literal, type WhereOptions } from 'sequelize'
import { normalisePhone, type UserQuery } from '@escale/protocol'
import type { Tables } from '../../db/database.ts'
import type { UserRow } from '../../db/rows.ts'
import { columnsOf } from '../../db/statements.ts'
import { userSearchTextOf } from '../../db/search-texts.ts'
import { openTable } from '../../db/table.ts'
import type { Containing } from '../../db/where.ts'
import { foldText, searchTermsOf } from '../../domain/search-text.ts'

export type UserRepository = ReturnType<typeof createUserRepository>

export function createUserRepository(tables: Tables) {
  const { get, findAll, insert, update, remove, count, page } = openTable(tables, 'users')
  const { users } = tables.models
  const byId = tables.statement(`SELECT ${columnsOf(users)} FROM users WHERE id = $1`, users)
  return {
    get,
    find: (id: string): Promise<UserRow | undefined> => byId.get(id),
    /** Whether any other user has the same first name. */
    async isFirstNameShared({ id, firstName }: UserRow): Promise<boolean> {
      const folded = foldText(firstName)
      const alike = await findAll({
        [Op.and]: [{ id: { [Op.ne]: id } }, tables.containing<UserRow>(['searchText'], firstName)],
      })
      return alike.some((other) => foldText(other.firstName) === folded)
    },
    async firstNames(ids: string[]): Promise<Map<string, string>> {
      const rows = ids.length === 0 ? [] : await findAll({ id: ids })
      return new Map(rows.map(({ id, firstName }) => [id, firstName]))
    },
    insert: (row: UserRow) => insert(withSearchText(row)),
    update: (row: UserRow) => update(withSearchText(row)),
    remove,
    list: ({ search, phone, hasOpenSession, ...query }: UserQuery) =>
      page(query, {
        orderable,
        // As in a phone book: without regard to accents and case.
        orderedAs: { lastName: 'searchText' },
        where: [
          ...(phone === undefined ? [] : [{ phone: normalisePhone(phone) ?? phone }]),
          ...searchedBy(search, tables.containing),
          ...havingOpenSession(hasOpenSession),
        ],
        order: [
          ['searchText', 'ASC'],
          ['id', 'ASC'],
        ],
      }),
    count: () => count(),
    countWithConsent: () => count({ consentGiven: true }),
    countCreatedSince: (sinceMs: number) => count({ createdAtMs: { [Op.gte]: sinceMs } }),
    async photoNames(): Promise<string[]> {
      return (await findAll({ photoName: { [Op.ne]: null } })).flatMap(({ photoName }) => photoName ?? [])
    },
  }
}

const orderable = [
  'id',
  'firstName',
  'lastName',
  'email',
  'phone',
  'birthDate',
  'sex',
  'municipality',
  'occupation',
  'consentGiven',
  'consentAt',
  'consentVersion',
  'consentRevokedAt',
  'createdAt',
  'updatedAt',
]

const withSearchText = (row: UserRow): UserRow => ({ ...row, searchText: userSearchTextOf(row) })

const withOpenSession = literal(
  "(SELECT user_id FROM sessions WHERE state <> 'ended' AND user_id IS NOT NULL)",
)

function havingOpenSession(wanted: boolean | undefined): WhereOptions<UserRow>[] {
  return wanted === undefined ? [] : [{ id: { [wanted ? Op.in : Op.notIn]: withOpenSession } }]
}

/** Every word must be found, in any field; or the digits, if the whole search may be a telephone number. */
function searchedBy(search: string | undefined, containing: Containing): WhereOptions<UserRow>[] {
  const { words, phone } = searchTermsOf(search ?? '')
  const found = (text: string) => containing<UserRow>(['searchText'], text)
  const all = words.map(found)
  return phone === undefined ? all : [{ [Op.or]: [found(phone), { [Op.and]: all }] }]
}
