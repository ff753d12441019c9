import { Op, type WhereOptions } from 'sequelize'
import type { ThrottleQuery } from '@escale/protocol'
import type { Tables } from '../../db/database.ts'
import { readPage } from '../../db/read-page.ts'
import type { ThrottleRow } from '../../db/rows.ts'
import { throttleKeyOf, throttlePrefixOf } from '../../domain/throttle.ts'
import type { PageWindow, Rows } from '../../db/page-window.ts'

export type ThrottleFilter = Omit<ThrottleQuery, 'page' | 'pageSize' | 'ordering'>
export type ThrottleRepository = ReturnType<typeof createThrottleRepository>

export function createThrottleRepository({ models: { throttles }, scope }: Tables) {
  return {
    async findAll(keys: string[]): Promise<ThrottleRow[]> {
      return (await throttles.findAll({ where: { key: keys }, ...scope() })).map((row) => row.get())
    },
    async save(row: ThrottleRow): Promise<void> {
      await throttles.upsert(row, scope())
    },
    async remove(keys: string[]): Promise<void> {
      await throttles.destroy({ where: { key: keys }, ...scope() })
    },
    async removeQuietSince(instantMs: number): Promise<void> {
      const isQuiet = { windowStartMs: { [Op.lt]: instantMs }, blockedUntilMs: { [Op.lt]: instantMs } }
      await throttles.destroy({ where: isQuiet, ...scope() })
    },
    async keysInForce(nowMs: number): Promise<string[]> {
      const where = { blockedUntilMs: { [Op.gt]: nowMs } }
      const rows = await throttles.findAll({ attributes: ['key'], where, ...scope() })
      return rows.map((row) => row.get().key)
    },
    /** Counters that block now, the one with the latest end first. */
    async inForce(
      filter: ThrottleFilter,
      nowMs: number,
      { limit, offset, order }: PageWindow,
    ): Promise<Rows<ThrottleRow>> {
      const { count, rows } = await readPage(throttles, {
        where: { [Op.and]: [{ blockedUntilMs: { [Op.gt]: nowMs } }, ...conditionsOf(filter)] },
        order: [...(order ? [order] : []), ['blockedUntilMs', 'DESC'], ['key', 'ASC']],
        limit,
        offset,
        ...scope(),
      })
      return { count, rows: rows.map((row) => row.get()) }
    },
  }
}

/** The key of a counter contains its subject. */
function conditionsOf({ kind, stationId, ip }: ThrottleFilter): WhereOptions<ThrottleRow>[] {
  const conditions: WhereOptions<ThrottleRow>[] = []
  if (kind !== undefined) conditions.push({ key: { [Op.startsWith]: throttlePrefixOf(kind) } })
  if (stationId !== undefined) conditions.push({ key: throttleKeyOf({ kind: 'station-code', stationId }) })
  if (ip !== undefined) {
    const byAddress = (['address-code', 'address-enrolment', 'address-login'] as const).map((name) =>
      throttleKeyOf({ kind: name, ip }),
    )
    const byLogin = throttleKeyOf({ kind: 'account-address-login', ip, usernameHash: '' })
    conditions.push({ [Op.or]: [{ key: byAddress }, { key: { [Op.startsWith]: byLogin } }] })
  }
  return conditions
}
