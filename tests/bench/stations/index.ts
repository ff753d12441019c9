import { createHash, randomBytes } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import type { RunningServer } from '../../support/server.ts'
import { spawned } from '../../support/spawned.ts'
import { openDatabaseOf, startFilledServer } from '../filled.ts'
import { statementsOf } from '../load.ts'
import { cpuSeconds, type Row } from '../measure.ts'
import type { RoomProgress } from './room.ts'

const USUAL_SIZES = [200, 1_000, 2_000]
const FULL_SIZES = [...USUAL_SIZES, 5_000, 10_000]
const LIMIT_MS = 300_000
/** To halve the server's speed it is stopped and continued in turn, for this long each. */
const HALF_SPEED_MS = 10

/**
 * Connects many stations at once. They run in another process, and each uses the agent's own MQTT client.
 * @param words sizes, `full` for all sizes, `one-address` for stations that share one address, `half` for a server with
 * half of a processor
 */
export async function stationsAtOnce(note: (text: string) => void, words: string[]): Promise<Row[]> {
  const named = words.map(Number).filter((size) => size > 0)
  const sizes = named.length > 0 ? named : words.includes('full') ? FULL_SIZES : USUAL_SIZES
  const rows: Row[] = []
  for (const size of sizes) rows.push(...(await measureRoom(size, note, words)))
  return rows
}

async function measureRoom(size: number, note: (text: string) => void, words: string[]): Promise<Row[]> {
  const secret = randomBytes(32).toString('hex')
  const server = await startRoomServer(size, secret)
  const { pid = 0 } = server.process().child
  const stopHalving = words.includes('half') ? runAtHalfSpeed(pid) : undefined
  const [cpuBefore, statementsBefore] = [cpuSeconds(pid), await statementsOf(server.url)]
  const last = await runRoom(server, { size, secret, note, words })
  const costs = {
    cpuMs: ((cpuSeconds(pid) - cpuBefore) * 1_000) / size,
    statements: ((await statementsOf(server.url)) ?? Number.NaN) - (statementsBefore ?? 0),
  }
  stopHalving?.()
  const refused = await refusedBy(server)
  await server.dispose()
  const how = ['half', 'one-address'].filter((word) => words.includes(word)).map((word) => `, ${word}`)
  return rowsOf(`${size} stations at once${how.join('')}`, size, last, { ...costs, refused })
}

function rowsOf(
  what: string,
  size: number,
  { allConnectedMs, allAgreedMs, connected, agreed, lost, failed }: RoomProgress,
  { cpuMs, statements, refused }: { cpuMs: number; statements: number; refused: number },
): Row[] {
  const time = (ms: number | undefined, reached: number) =>
    ms === undefined ? `not in time (${reached})` : `${(ms / 1_000).toFixed(1)} s`
  const rate = allConnectedMs === undefined ? Number.NaN : (size * 1_000) / allConnectedMs
  return [
    { what: `${what}: connected a second`, figure: rate.toFixed(0), aim: '–' },
    { what: `${what}: until all are connected`, figure: time(allConnectedMs, connected), aim: '–' },
    { what: `${what}: until all agree`, figure: time(allAgreedMs, agreed), aim: '–' },
    { what: `${what}: connections lost again`, figure: String(lost), aim: '0' },
    { what: `${what}: refused / failed attempts`, figure: `${refused} / ${failed}`, aim: '–' },
    {
      what: `${what}: processor time and statements of the server for each`,
      figure: `${cpuMs.toFixed(1)} ms, ${(statements / size).toFixed(1)}`,
      aim: '–',
    },
  ]
}

async function startRoomServer(size: number, secret: string): Promise<RunningServer> {
  const server = await startFilledServer(size, 0)
  await server.stop()
  const database = openDatabaseOf(server)
  const hash = createHash('sha256').update(secret).digest('hex')
  database.prepare('UPDATE stations SET secret_hash = ?').run(hash)
  database.close()
  await server.restart()
  return server
}

async function runRoom(
  server: RunningServer,
  room: { size: number; secret: string; note: (text: string) => void; words: string[] },
): Promise<RoomProgress> {
  const { size, secret, note, words } = room
  const from = words.includes('one-address') ? 'one-address' : 'own-addresses'
  const args = [server.mqttUrl, String(size), secret, String(LIMIT_MS), from]
  const clients = spawned(process.execPath, [
    '--max-old-space-size=4096',
    'tests/bench/stations/room.ts',
    ...args,
  ])
  let last: RoomProgress | undefined
  const isOver = Promise.withResolvers<undefined>()
  clients.child.on('message', (progress: RoomProgress) => {
    last = progress
    const { elapsedMs, connected, agreed, lost, failed, allAgreedMs } = progress
    const shown = { connected, agreed, lost, failed }
    note(`${size} stations, ${(elapsedMs / 1_000).toFixed(0)} s: ${JSON.stringify(shown)}`)
    if (allAgreedMs !== undefined || elapsedMs > LIMIT_MS) isOver.resolve(undefined)
  })
  await Promise.race([isOver.promise, clients.ended])
  await clients.kill()
  if (last === undefined) throw new Error(`the stations ended at once: ${clients.output()}`)
  return last
}

async function refusedBy(server: RunningServer): Promise<number> {
  const figures = await (await fetch(`${server.url}/metrics`)).text()
  const line = /^escale_broker\{figure="connectionsRefused"\} (\d+)$/m.exec(figures)
  return Number(line?.[1] ?? Number.NaN)
}

/** @returns a function that gives the process its full speed again */
function runAtHalfSpeed(pid: number): () => void {
  let isOver = false
  const run = async () => {
    while (!isOver) {
      process.kill(pid, 'SIGSTOP')
      await delay(HALF_SPEED_MS)
      process.kill(pid, 'SIGCONT')
      await delay(HALF_SPEED_MS)
    }
  }
  void run()
  return () => {
    isOver = true
  }
}
