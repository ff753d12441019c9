import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { setTimeout as delay } from 'node:timers/promises'
import { promisify } from 'node:util'
import { request, signIn, type Api } from '../support/api.ts'
import { startServer, type RunningServer } from '../support/server.ts'
import { ROOT } from '../support/spawned.ts'
import { enrolStation, macOf, openStationClient, type Identity } from '../support/station-client.ts'

const STATIONS = 4
/** Pending events, and pending requests, per station. */
const WIDTH = 2
/** How many promises the server makes at most before it is killed again, and how much longer it may live, ms. */
const MOST_PROMISES = 60
const MOST_GRACE_MS = 30
const TOKEN_GOOD_FOR_MS = 300_000
const RETRY_MS = 20

const execute = promisify(execFile)

/** What was sent, by what it is known by in the database, and whether it was acknowledged. */
type Ledger = Map<string, boolean>

interface Promised {
  told: Ledger
  written: Ledger
  grants: { asked: number; answered: number }
  /** Called for each acknowledgement and each answer. */
  count: () => void
}

export interface KillReport {
  kills: number
  /** MQTT messages that got their PUBACK, and HTTP writes that got their answer. */
  acknowledged: number
  answered: number
  /** Writes that were acknowledged or answered and are not in the database. */
  missing: string[]
  /** Writes that are in the database more than once. */
  twice: string[]
  /** What `npm run audit:verify` says at the end. */
  verified: string
}

/**
 * Kills the server again and again with `kill -9` while stations tell events and requests and operators write, and
 * compares at the end what was promised with what the database holds.
 * @param chance 0..1, exclusive of 1: when each life ends.
 */
export async function killUnderLoad(
  kills: number,
  chance: () => number,
  onKill: (kill: number) => void = () => undefined,
): Promise<KillReport> {
  const server = await startServer({ env: { ESCALE_LOG_LEVEL: 'warn' } })
  const aborter = new AbortController()
  try {
    const api = await signIn(server)
    const stations: Identity[] = []
    for (let index = 0; index < STATIONS; index += 1)
      stations.push(await enrolStation(server, api, `pc${index}`, macOf(index)))
    const sessionId = await startSession(api)

    let made = 0
    let wanted: { from: number; resolve: () => void } | undefined
    const promised: Promised = {
      told: new Map(),
      written: new Map(),
      grants: { asked: 0, answered: 0 },
      count: () => {
        made += 1
        if (wanted && made >= wanted.from) wanted.resolve()
      },
    }
    const more = (count: number) =>
      new Promise<void>((resolve) => {
        wanted = { from: made + count, resolve }
      })
    const { told, written, grants } = promised
    const load = [
      ...stations.map((station) => tellAsStation(server, station, promised, aborter.signal)),
      ...writeAsOperator(server, api.token, sessionId, promised, aborter.signal),
    ]
    for (let kill = 1; kill <= kills; kill += 1) {
      await more(1 + Math.floor(chance() * MOST_PROMISES))
      await delay(chance() * MOST_GRACE_MS)
      await server.kill()
      onKill(kill)
      await server.restart()
    }
    // The server now stays up, so that all pending work can finish.
    aborter.abort()
    await Promise.all(load)
    await server.kill()

    const found = readDatabase(join(server.dataDir, 'escale.sqlite'), sessionId)
    const { stdout } = await execute(process.execPath, ['backend/src/cli/audit-verify.ts'], {
      cwd: ROOT,
      env: { ...process.env, ESCALE_DATA_DIR: server.dataDir },
    })
    const faults = [compare('taken', told, found.taken), compare('visitor', written, found.written)]
    const missing = faults.flatMap((fault) => fault.missing)
    const twice = faults.flatMap((fault) => fault.twice)
    if (found.grants < grants.answered) missing.push(`grants: ${found.grants} of ${grants.answered}`)
    if (found.grants > grants.asked) twice.push(`grants: ${found.grants} of ${grants.asked}`)
    if (found.journal !== found.grants)
      missing.push(`in the journal: ${found.journal} of ${found.grants} grants`)
    const answered = promisedOf(written).length + grants.answered
    return { kills, acknowledged: promisedOf(told).length, answered, missing, twice, verified: stdout.trim() }
  } finally {
    aborter.abort()
    await server.dispose()
  }
}

async function startSession(api: Api): Promise<string> {
  const { id } = await api.post<{ id: string }>('/api/sessions/', { stationId: 'pc0', minutes: 60 })
  await api.post(`/api/sessions/${id}/start/`)
  return id
}

/**
 * Events of one boot in a row, and requests whose answer is kept, some at a time; each until it is acknowledged. No
 * faults: of these a station may tell so many only.
 */
async function tellAsStation(
  server: RunningServer,
  identity: Identity,
  { told, count }: Promised,
  signal: AbortSignal,
): Promise<void> {
  const { stationId } = identity
  const { client, say } = openStationClient(server.mqttUrl, identity)
  let seq = 0
  const tell = async (make: (key: string) => Promise<unknown>) => {
    while (!signal.aborted) {
      const key = `${stationId}-${seq++}`
      told.set(key, false)
      await make(key)
      told.set(key, true)
      count()
    }
  }
  const event = (key: string) =>
    say('events', {
      bootId: 'boot-1',
      seq: Number(key.split('-')[1]),
      at: '2026-01-01T08:00:00.000Z',
      kind: 'warned',
      details: { key },
    })
  const ask = (key: string) =>
    say('request', {
      id: key,
      op: 'suspend_session',
      params: { sessionId: key },
    })
  await Promise.all(Array.from({ length: WIDTH }, () => [tell(event), tell(ask)]).flat())
  await client.endAsync(true)
}

/** Registers visitors, and beside that grants time; what gets no answer is not asked again. */
function writeAsOperator(
  server: RunningServer,
  token: string,
  sessionId: string,
  { written, grants, count }: Promised,
  signal: AbortSignal,
): Promise<void>[] {
  let access = { token, untilMs: performance.now() + TOKEN_GOOD_FOR_MS }
  /** @returns false if no answer came, because the server is down. */
  const post = async (path: string, body: object): Promise<boolean> => {
    try {
      if (performance.now() > access.untilMs)
        access = { token: (await signIn(server)).token, untilMs: performance.now() + TOKEN_GOOD_FOR_MS }
      const headers = { authorization: `Bearer ${access.token}`, 'content-type': 'application/json' }
      const init = { method: 'POST', headers, body: JSON.stringify(body) }
      const { status } = await request(server.url + path, init)
      if (status >= 300) throw new Error(`${path} answered ${status}`)
      count()
      return true
    } catch (err) {
      // fetch throws a TypeError when the connection breaks.
      if (!(err instanceof TypeError)) throw err
      await delay(RETRY_MS)
      return false
    }
  }
  const register = async () => {
    for (let turn = 0; !signal.aborted; turn += 1) {
      const lastName = `Essai-${turn}`
      written.set(lastName, false)
      written.set(
        lastName,
        await post('/api/utilisateurs/', { firstName: 'Zoé', lastName, consentGiven: true }),
      )
    }
  }
  const grant = async () => {
    while (!signal.aborted) {
      grants.asked += 1
      if (await post(`/api/sessions/${sessionId}/add_time/`, { minutes: 1 })) grants.answered += 1
    }
  }
  return [register(), grant()]
}

/** How often each item occurs. */
function readDatabase(file: string, sessionId: string) {
  const database = new DatabaseSync(file, { readOnly: true })
  const column = (sql: string) =>
    database
      .prepare(sql)
      .all()
      .map((row) => String(Object.values(row)[0]))
  const taken = column(
    `SELECT station_id || '-' || seq FROM station_events UNION ALL SELECT request_id FROM answered_requests`,
  )
  const grants = column(`SELECT seconds FROM session_grants WHERE session_id = '${sessionId}'`).length
  const journal = column(
    `SELECT id FROM logs WHERE action IN ('session.created', 'session.time_added') AND session_id = '${sessionId}'`,
  ).length
  const written = column(`SELECT last_name FROM users`)
  database.close()
  return { taken, journal, written, grants }
}

const promisedOf = (ledger: Ledger) => [...ledger].filter(([, isPromised]) => isPromised).map(([key]) => key)

function compare(where: string, ledger: Ledger, found: readonly string[]) {
  const counts = new Map<string, number>()
  for (const key of found) counts.set(key, (counts.get(key) ?? 0) + 1)
  return {
    missing: promisedOf(ledger)
      .filter((key) => !counts.has(key))
      .map((key) => `${where}: ${key}`),
    twice: [...counts]
      .filter(([, count]) => count > 1)
      .map(([key, count]) => `${where}: ${key} ${count} times`),
  }
}
