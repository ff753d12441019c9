import type { Session } from '@escale/protocol'
import type { MqttClient } from 'mqtt'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { openDatabaseOf } from '../bench/filled.ts'
import { signIn, type Api } from '../support/api.ts'
import { startServer, type RunningServer } from '../support/server.ts'
import { enrolStation, macOf, openStationClient, type Identity } from '../support/station-client.ts'

let server: RunningServer
let api: Api
let station: Identity

beforeEach(async () => {
  server = await startServer()
  api = await signIn(server)
  station = await enrolStation(server, api, 'pc-1', macOf(1))
})
afterEach(() => server.dispose())

async function startSession(): Promise<string> {
  const { id } = await api.post<Session>('/api/sessions/', { stationId: station.stationId, minutes: 60 })
  await api.post(`/api/sessions/${id}/start/`)
  return id
}
const ended = (sessionId: string, seq: number) => ({
  ...{ bootId: 'b', seq, at: new Date().toISOString(), kind: 'session_ended' },
  details: { sessionId, reason: 'logged_out' },
})
const next = (client: MqttClient, event: 'connect' | 'close') =>
  new Promise<void>((resolve) => client.once(event, () => resolve()))
const stateOf = async (id: string) => (await api.get<Session>(`/api/sessions/${id}/`)).state

/** Holds the database's write lock, as another program could. Returns a function that releases it. */
function holdLock(): () => void {
  const database = openDatabaseOf(server)
  database.exec('BEGIN IMMEDIATE')
  return () => {
    database.exec('ROLLBACK')
    database.close()
  }
}

test('an event is acknowledged only when it is committed, after as many attempts as needed', async () => {
  const id = await startSession()
  const { client, publish } = openStationClient(server.mqttUrl, station)
  await next(client, 'connect')
  const release = holdLock()
  let isAcknowledged = false
  const acknowledged = publish('events', ended(id, 1)).then(() => {
    isAcknowledged = true
  })
  await server.process().waitFor(/nothing can be stored, trying again/)
  expect(isAcknowledged).toBe(false)
  release()
  await acknowledged
  expect(await stateOf(id)).toBe('ended')
  await client.endAsync()
})

test('an event that cannot be committed closes the connection, and is accepted when it is sent again', async () => {
  const id = await startSession()
  const { client, publish } = openStationClient(server.mqttUrl, station)
  await next(client, 'connect')
  const release = holdLock()
  const acknowledged = publish('events', ended(id, 1))
  await next(client, 'close')
  release()
  await acknowledged
  expect(await stateOf(id)).toBe('ended')
  await client.endAsync()
})
