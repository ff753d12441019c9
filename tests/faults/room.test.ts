import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { createAgent, createMemoryStore, createSimulatedPlatform, type Agent } from '@escale/agent'
import { type Page, type Reported, type Station, matchTopic } from '@escale/protocol'
import { connectAsync } from 'mqtt'
import { pino } from 'pino'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { signIn, type Api } from '../support/api.ts'
import { startServer, type RunningServer } from '../support/server.ts'
import { enrolStation, macOf } from '../support/station-client.ts'

const STATIONS = 300
const AGREE_WITHIN_MS = 5_000
/** The fastest of these runs counts, because other programs on the machine can only slow a run down. */
const KILLS = 3

let server: RunningServer
let api: Api
const agents: Agent[] = []

beforeAll(async () => {
  server = await startServer({ env: { ESCALE_LOG_LEVEL: 'error' } })
  api = await signIn(server)
  for (let index = 0; index < STATIONS; index += 1) {
    const identity = await enrolStation(server, api, `pc-${index}`, macOf(index))
    const agent = createAgent({
      server: server.url,
      credentials: { kind: 'identity', ...identity, mqttUrl: server.mqttUrl },
      platform: createSimulatedPlatform({
        seed: index,
        identity: { hostname: identity.stationId, macAddress: macOf(index) },
      }),
      store: createMemoryStore(),
      log: pino({ level: 'fatal' }),
    })
    agents.push(agent)
    await agent.start()
  }
  await allAgree()
}, 300_000)

afterAll(async () => {
  await Promise.all(agents.map((agent) => agent.stop()))
  await server.dispose()
}, 60_000)

/** The version of each station's desired document in the database. */
function desiredVersions(): Map<string, number> {
  const database = new DatabaseSync(join(server.dataDir, 'escale.sqlite'), { readOnly: true })
  const rows = database.prepare('SELECT id, desired_version FROM stations').all()
  database.close()
  return new Map(rows.map((row) => [String(row['id']), Number(row['desired_version'])]))
}

/** Resolves when every station has reported its desired version to the restarted server. */
async function allAgree(): Promise<void> {
  const desired = desiredVersions()
  const watcher = await connectAsync(server.mqttUrl, {
    clientId: 'operator:watch',
    username: 'operator',
    password: api.token,
    reconnectPeriod: 0,
  })
  const missing = new Set(desired.keys())
  await new Promise<void>((resolve) => {
    watcher.on('message', (topic, payload) => {
      const { version } = JSON.parse(payload.toString()) as Reported
      const stationId = matchTopic(topic)?.party ?? ''
      if (desired.get(stationId) === version) missing.delete(stationId)
      if (missing.size === 0) resolve()
    })
    void watcher.subscribeAsync('escale/v1/stations/+/reported', { qos: 1 })
  })
  await watcher.endAsync(true)
}

test(`${STATIONS} stations reconnect and agree within ${AGREE_WITHIN_MS / 1_000} s after a server was killed`, async () => {
  const tookMs: number[] = []
  for (let kill = 0; kill < KILLS; kill += 1) {
    await server.kill()
    await server.restart()
    const readyMs = performance.now()
    await allAgree()
    tookMs.push(performance.now() - readyMs)
  }
  const figures = tookMs.map((ms) => ms.toFixed(0)).join(', ')
  process.stdout.write(`${STATIONS} stations agree ${figures} ms after the server is ready\n`)
  expect(Math.min(...tookMs)).toBeLessThan(AGREE_WITHIN_MS)
  const { count } = await api.get<Page<Station>>('/api/postes/?online=true&pageSize=1')
  expect(count).toBe(STATIONS)
})
