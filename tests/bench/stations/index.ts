import { createHash, randomBytes } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import type { RunningServer } from '../../support/server.ts'
import { spawned } from '../../support/spawned.ts'
import { openDatabaseOf, startFilledServer } from '../filled.ts'
import { cpuSeconds, type Row } from '../measure.ts'
import type { RoomProgress } from './room.ts'

const USUAL_SIZES = [200, 1_000, 2_000]
const FULL_SIZES = [...USUAL_SIZES, 5_000, 10_000]
const LIMIT_MS = 300_000
/** The server runs and stands still in turn for so long each: half of a processor. */
const HALF_SPEED_MS = 10

/**
 * Opens a room of stations at once, each a client of its own as the agent is, from a process of its own.
 * @param words sizes, `full` for all of them, `one-address` for a room behind one address, `half` for a server that
 * gets half of a processor
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
  const cpuBefore = cpuSeconds(pid)
  const last = await runRoom(server, { size, secret, note, words })
  const cpuMs = (cpuSeconds(pid) - cpuBefore) * 1_000
  stopHalving?.()
  const refused = await refusedBy(server)
  await server.dispose()

  const seconds = (ms: number | undefined) => (ms === undefined ? 'never' : `${(ms / 1_000).toFixed(1)} s`)
  const { allConnectedMs, allAgreedMs, lost, failed, connected, agreed } = last
  const rate = allConnectedMs === undefined ? 0 : (size * 1_000) / allConnectedMs
  const what = `${size} stations at once${words.includes('half') ? ', half speed' : ''}${words.includes('one-address') ? ', one address' : ''}`
  return [
    { what: `${what}: connected a second`, figure: rate.toFixed(0), aim: '–' },
    { what: `${what}: all connected`, figure: `${seconds(allConnectedMs)} (${connected})`, aim: '–' },
    { what: `${what}: all agree`, figure: `${seconds(allAgreedMs)} (${agreed})`, aim: '–' },
    {
      what: `${what}: lost again, refused, attempts in vain`,
      figure: `${lost}, ${refused}, ${failed}`,
      aim: '0 lost',
    },
    {
      what: `${what}: processor time of the server for each`,
      figure: `${(cpuMs / size).toFixed(2)} ms`,
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

/** @returns what lets the process run freely again */
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
