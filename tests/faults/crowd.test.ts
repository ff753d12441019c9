import { createHash, randomBytes } from 'node:crypto'
import { DatabaseSync } from 'node:sqlite'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { startServer, type RunningServer } from '../support/server.ts'
import { macOf, openStationClient, type StationClient } from '../support/station-client.ts'

const STATIONS = 120
/** The server is killed once it has acknowledged so many presences. */
const KILLED_AFTER = [1, 20, 60]

const mqttSecret = randomBytes(32).toString('hex')
let server: RunningServer
const openDatabase = () => new DatabaseSync(join(server.dataDir, 'escale.sqlite'))

beforeAll(async () => {
  server = await startServer({ env: { ESCALE_LOG_LEVEL: 'error' } })
  await server.stop()
  const database = openDatabase()
  const insert =
    database.prepare(`INSERT INTO stations (id, label, is_maintenance, is_marked_offline, secret_hash,
    desired_version, version, created_at_ms, updated_at_ms) VALUES (?, ?, 0, 0, ?, 1, 1, 1, 1)`)
  const hash = createHash('sha256').update(mqttSecret).digest('hex')
  for (let index = 0; index < STATIONS; index += 1) insert.run(`pc-${index}`, `Poste ${index}`, hash)
  database.close()
}, 60_000)

afterAll(() => server.dispose())

/** The newest record of the journal before the round. */
let lastLogId = 0

/** The stations that the database counts as connected, and those whose arrival the journal has since the last round. */
function stored(): { online: string[]; journal: string[] } {
  const database = openDatabase()
  const idsOf = (sql: string) =>
    database
      .prepare(sql)
      .all()
      .map((row) => String(row['station_id']))
  const online = idsOf('SELECT station_id FROM station_presences WHERE online = 1')
  const journal = idsOf(`SELECT station_id FROM logs WHERE action = 'station.online' AND id > ${lastLogId}`)
  lastLogId = Number(database.prepare('SELECT MAX(id) AS id FROM logs').get()?.['id'])
  // The next round begins with nobody connected.
  database.exec('UPDATE station_presences SET online = 0')
  database.close()
  return { online, journal }
}

test.each(KILLED_AFTER)(
  `keeps each arrival that it has acknowledged when it is killed after %i of ${STATIONS} at once`,
  async (killedAfter) => {
    await server.restart()
    const acknowledged: string[] = []
    const enough = Promise.withResolvers<undefined>()
    const announce = async ({ publish }: StationClient, index: number) => {
      const presence = { online: true, cause: 'birth', bootId: `boot-${killedAfter}-${index}` }
      const station = { agentVersion: '1.0.0', hostname: `pc-${index}`, os: 'Debian 13' }
      const addresses = { ipAddress: '127.0.0.1', macAddress: macOf(index) }
      await publish('presence', { ...presence, ...station, ...addresses })
      acknowledged.push(`pc-${index}`)
      if (acknowledged.length >= killedAfter) enough.resolve(undefined)
    }
    const clients = Array.from({ length: STATIONS }, (_, index) =>
      openStationClient(server.mqttUrl, { stationId: `pc-${index}`, mqttSecret }, { reconnectPeriod: 0 }),
    )
    for (const [index, client] of clients.entries()) void announce(client, index).catch(() => undefined)
    await enough.promise
    await server.kill()
    const { online, journal } = stored()
    for (const { client } of clients) client.end(true)
    expect(online).toEqual(expect.arrayContaining(acknowledged))
    expect(journal).toEqual(expect.arrayContaining(acknowledged))
  },
  60_000,
)
