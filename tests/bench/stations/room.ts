import net from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { createLink, type Link } from '@escale/agent'
import { pino } from 'pino'

/** What is sent to the measuring process, once a second and at the end. */
export interface RoomProgress {
  elapsedMs: number
  /** Stations that are connected now. */
  connected: number
  /** Stations that have applied and reported their newest document, and got the acknowledgement. */
  agreed: number
  /** Connections that were established and lost again. */
  lost: number
  /** Connection attempts that failed, for any reason. */
  failed: number
  /** When the last station was connected, and when the last one agreed; absent before that. */
  allConnectedMs?: number
  allAgreedMs?: number
}

const PROGRESS_MS = 1_000
const HEARTBEAT_MS = 10_000

const [url = '', count = '0', secret = '', limitMs = '0', from = ''] = process.argv.slice(2)
const stations = Number(count)

if (from === 'own-addresses') {
  // In a real room each station has its own address. Here the host of its URL is its source address.
  const dial = net.createConnection.bind(net) as (options: net.TcpNetConnectOpts) => net.Socket
  net.createConnection = ((options: net.TcpNetConnectOpts) =>
    dial({ ...options, host: '127.0.0.1', localAddress: options.host })) as typeof net.createConnection
}

const connected = new Set<string>()
const agreed = new Set<string>()
const counts = { lost: 0, failed: 0 }
const startedMs = performance.now()
let allConnectedMs: number | undefined
let allAgreedMs: number | undefined

const elapsedMs = () => performance.now() - startedMs
const sendProgress = () =>
  process.send?.({
    elapsedMs: elapsedMs(),
    connected: connected.size,
    agreed: agreed.size,
    ...counts,
    allConnectedMs,
    allAgreedMs,
  } satisfies RoomProgress)

/** Counts failed attempts. The link reports them only in its log, one line for each. */
const log = pino(
  { level: 'debug' },
  {
    write: (line) => {
      if (line.includes('connection to the broker failed')) counts.failed += 1
    },
  },
)

/** A station as the bus sees it: it receives its document, and reports what it has applied. */
function openStation(index: number): Link {
  const stationId = `pc-${index}`
  const bootId = `boot-${index}`
  const host = from === 'own-addresses' ? `127.1.${index >> 8}.${index & 255 || 1}` : '127.0.0.1'
  let version = 0
  let heartbeatSeq = 0

  const report = async () => {
    if (!link.isSettled() || version === 0) return
    const applied = version
    const reported = { version, state: 'locked', bootId, appliedAt: new Date().toISOString() } as const
    if (!(await link.publish('reported', reported)) || applied !== version) return
    agreed.add(stationId)
    if (agreed.size === stations) allAgreedMs ??= elapsedMs()
  }
  const beat = () =>
    void link.publish('heartbeat', {
      bootId,
      seq: heartbeatSeq++,
      uptimeSeconds: 100,
      state: 'locked',
      cpuPercent: 1,
      memoryPercent: 2,
      diskPercent: 3,
    })

  const link = createLink({
    url: url.replace('127.0.0.1', host),
    stationId,
    secret,
    presence: () =>
      Promise.resolve({
        bootId,
        agentVersion: '1.0.0',
        hostname: stationId,
        os: 'Debian 13',
        ipAddress: host,
        macAddress: `02:00:5e:21:${[index >> 8, index & 255].map((byte) => byte.toString(16).padStart(2, '0')).join(':')}`,
      }),
    nowMs: () => performance.now(),
    log,
    onUp: () => {
      connected.add(stationId)
      if (connected.size === stations) allConnectedMs ??= elapsedMs()
      beat()
    },
    onDown: () => {
      connected.delete(stationId)
      agreed.delete(stationId)
      counts.lost += 1
    },
    onRefused: () => undefined,
    onClockSample: () => undefined,
    onSettled: () => void report(),
    onMessage: (message) => {
      if (message.name !== 'desired') return
      version = message.payload.version
      agreed.delete(stationId)
      void report()
    },
  })
  setInterval(() => {
    if (connected.has(stationId)) beat()
  }, HEARTBEAT_MS)
  return link
}

for (let index = 1; index <= stations; index += 1) openStation(index)
while (allAgreedMs === undefined && elapsedMs() < Number(limitMs)) {
  await delay(PROGRESS_MS)
  sendProgress()
}
sendProgress()
// Connections stay open until the parent has read the server's processor time.
process.on('disconnect', () => process.exit(0))
