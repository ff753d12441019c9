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
const PARALLEL = 2
/** The server is killed after at most this many confirmed writes and this delay, ms. Both are random. */
const MOST_CONFIRMATIONS = 60
const MOST_DELAY_MS = 30
const TOKEN_LIFE_MS = 300_000
const RETRY_MS = 20

const execute = promisify(execFile)

/** Each write that was sent, by its key in the database, and whether the server confirmed it. */
type Ledger = Map<string, boolean>

interface Confirmations {
  messages: Ledger
  visitors: Ledger
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
 * Kills the server again and again with `kill -9` while stations send events and requests and operators write. At the
 * end it compares the confirmed writes with the database.
 * @param chance random numbers in [0, 1), for the time of each kill
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

    let confirmedCount = 0
    let wanted: { from: number; resolve: () => void } | undefined
    const confirmations: Confirmations = {
      messages: new Map(),
      visitors: new Map(),
      grants: { asked: 0, answered: 0 },
      count: () => {
        confirmedCount += 1
        if (wanted && confirmedCount >= wanted.from) wanted.resolve()
      },
    }
    const waitForConfirmations = (count: number) =>
      new Promise<void>((resolve) => {
        wanted = { from: confirmedCount + count, resolve }
      })
    const { messages, visitors, grants } = confirmations
    const load = [
      ...stations.map((station) => sendAsStation(server, station, confirmations, aborter.signal)),
      ...writeAsOperator(server, api.token, sessionId, confirmations, aborter.signal),
    ]
    for (let kill = 1; kill <= kills; kill += 1) {
      await waitForConfirmations(1 + Math.floor(chance() * MOST_CONFIRMATIONS))
      await delay(chance() * MOST_DELAY_MS)
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
    const faults = [
      compare('message', messages, found.messages),
      compare('visitor', visitors, found.visitors),
    ]
    const missing = faults.flatMap((fault) => fault.missing)
    const twice = faults.flatMap((fault) => fault.twice)
    if (found.grants < grants.answered) missing.push(`grants: ${found.grants} of ${grants.answered}`)
    if (found.grants > grants.asked) twice.push(`grants: ${found.grants} of ${grants.asked}`)
    if (found.journal !== found.grants)
      missing.push(`in the journal: ${found.journal} of ${found.grants} grants`)
    const answered = confirmedOf(visitors).length + grants.answered
    return {
      kills,
      acknowledged: confirmedOf(messages).length,
      answered,
      missing,
      twice,
      verified: stdout.trim(),
    }
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
 * Sends events of one boot, and requests whose answer the server stores. Each is repeated until it is acknowledged.
 * It sends no faults, because their number per station is limited.
 */
async function sendAsStation(
  server: RunningServer,
  identity: Identity,
  { messages, count }: Confirmations,
  signal: AbortSignal,
): Promise<void> {
  const { stationId } = identity
  const { client, publish } = openStationClient(server.mqttUrl, identity)
  let seq = 0
  const sendInLoop = async (make: (key: string) => Promise<unknown>) => {
    while (!signal.aborted) {
      const key = `${stationId}-${seq++}`
      messages.set(key, false)
      await make(key)
      messages.set(key, true)
      count()
    }
  }
  const event = (key: string) =>
    publish('events', {
      bootId: 'boot-1',
      seq: Number(key.split('-')[1]),
      at: '2026-01-01T08:00:00.000Z',
      kind: 'warned',
      details: { key },
    })
  const ask = (key: string) =>
    publish('request', {
      id: key,
      op: 'suspend_session',
      params: { sessionId: key },
    })
  await Promise.all(Array.from({ length: PARALLEL }, () => [sendInLoop(event), sendInLoop(ask)]).flat())
  await client.endAsync(true)
}

/** Registers visitors and grants time. A request without an answer is not repeated. */
function writeAsOperator(
  server: RunningServer,
  token: string,
  sessionId: string,
  { visitors, grants, count }: Confirmations,
  signal: AbortSignal,
): Promise<void>[] {
  let access = { token, untilMs: performance.now() + TOKEN_LIFE_MS }
  /** @returns false if no answer came, because the server is down. */
  const post = async (path: string, body: object): Promise<boolean> => {
    try {
      if (performance.now() > access.untilMs)
        access = { token: (await signIn(server)).token, untilMs: performance.now() + TOKEN_LIFE_MS }
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
      visitors.set(lastName, false)
      visitors.set(
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

/** The keys of all writes in the database; a key can occur twice. */
function readDatabase(file: string, sessionId: string) {
  const database = new DatabaseSync(file, { readOnly: true })
  const column = (sql: string) =>
    database
      .prepare(sql)
      .all()
      .map((row) => String(Object.values(row)[0]))
  const messages = column(
    `SELECT station_id || '-' || seq FROM station_events UNION ALL SELECT request_id FROM answered_requests`,
  )
  const grants = column(`SELECT seconds FROM session_grants WHERE session_id = '${sessionId}'`).length
  const journal = column(
    `SELECT id FROM logs WHERE action IN ('session.created', 'session.time_added') AND session_id = '${sessionId}'`,
  ).length
  const visitors = column(`SELECT last_name FROM users`)
  database.close()
  return { messages, journal, visitors, grants }
}

const confirmedOf = (ledger: Ledger) =>
  [...ledger].filter(([, isConfirmed]) => isConfirmed).map(([key]) => key)

function compare(where: string, ledger: Ledger, found: readonly string[]) {
  const counts = new Map<string, number>()
  for (const key of found) counts.set(key, (counts.get(key) ?? 0) + 1)
  return {
    missing: confirmedOf(ledger)
      .filter((key) => !counts.has(key))
      .map((key) => `${where}: ${key}`),
    twice: [...counts]
      .filter(([, count]) => count > 1)
      .map(([key, count]) => `${where}: ${key} ${count} times`),
  }
}
