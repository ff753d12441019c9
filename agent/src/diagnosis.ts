import { connect } from 'node:net'
import { access, constants, mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { AgentSettings } from './settings.ts'
import { createFileStore } from './store.ts'

const ANSWER_LIMIT_MS = 3_000

export interface Finding {
  isGood: boolean
  what: string
  /** What to do about it, one sentence. */
  advice?: string
}

interface RunningView {
  phase?: string
  stationId?: string
  label?: string
  isOnline?: boolean
}

async function runningView(screenPort: number): Promise<RunningView | undefined> {
  try {
    const response = await fetch(`http://127.0.0.1:${screenPort}/api/state`, {
      signal: AbortSignal.timeout(ANSWER_LIMIT_MS),
    })
    return response.ok ? ((await response.json()) as RunningView) : undefined
  } catch {
    return undefined
  }
}

/** What the agent running on this machine says of itself. */
export async function statusOf({
  screenPort,
}: AgentSettings): Promise<{ isRunning: boolean; lines: string[] }> {
  const view = await runningView(screenPort)
  if (view === undefined) return { isRunning: false, lines: [`no agent answers on port ${screenPort}`] }
  const lines = [
    `station ${view.stationId ?? '(pairing)'}${view.label === undefined ? '' : ` (${view.label})`}`,
    `state ${view.phase ?? 'unknown'}`,
    `server ${view.isOnline === true ? 'connected' : 'not connected'}`,
  ]
  return { isRunning: true, lines }
}

/** Checks what the agent needs, one finding each. */
export async function examine(settings: AgentSettings, pageDir: string): Promise<Finding[]> {
  return [
    await findData(settings),
    await findPage(pageDir),
    await findServer(settings),
    ...(await findBroker(settings)),
    await findAgent(settings),
  ]
}

async function findData({ dataDir }: AgentSettings): Promise<Finding> {
  try {
    await mkdir(dataDir, { recursive: true, mode: 0o700 })
    await access(dataDir, constants.W_OK)
    return { isGood: true, what: `data folder ${dataDir}` }
  } catch {
    const advice = ': make it writable for this user, or choose another with --data-dir.'
    return { isGood: false, what: `data folder ${dataDir} cannot be written`, advice }
  }
}

async function findPage(pageDir: string): Promise<Finding> {
  const isThere = await access(join(pageDir, 'index.html')).then(
    () => true,
    () => false,
  )
  if (isThere) return { isGood: true, what: 'screen page' }
  return { isGood: false, what: 'screen page missing', advice: ': run "npm run build -w agent".' }
}

async function findServer({ server }: AgentSettings): Promise<Finding> {
  if (server === undefined) {
    return { isGood: false, what: 'no server given', advice: ': say where it is with --server.' }
  }
  try {
    const { status } = await fetch(new URL('/healthz', server), {
      signal: AbortSignal.timeout(ANSWER_LIMIT_MS),
    })
    if (status === 200) return { isGood: true, what: `server ${server}` }
    return { isGood: false, what: `server ${server} answers ${status}`, advice: ': look at its log.' }
  } catch {
    const advice = ': check the address, the cable, and that the server runs.'
    return { isGood: false, what: `server ${server} does not answer`, advice }
  }
}

async function findBroker({ dataDir }: AgentSettings): Promise<Finding[]> {
  const identity = await createFileStore(dataDir)
    .readIdentity()
    .catch(() => undefined)
  if (identity === undefined) {
    return [{ isGood: true, what: 'not enrolled yet: it will be when the agent runs' }]
  }
  const { hostname, port, protocol } = new URL(identity.mqttUrl)
  const fallback = { 'mqtt:': 1883, 'mqtts:': 8883, 'ws:': 80, 'wss:': 443 }[protocol] ?? 1883
  const target = { host: hostname, port: port === '' ? fallback : Number(port) }
  const what = `broker ${target.host}:${target.port}`
  if (await canConnect(target)) return [{ isGood: true, what }]
  return [{ isGood: false, what: `${what} does not answer`, advice: ': check the firewall for this port.' }]
}

function canConnect(target: { host: string; port: number }): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ ...target, timeout: ANSWER_LIMIT_MS })
    const done = (isConnected: boolean) => {
      socket.destroy()
      resolve(isConnected)
    }
    socket.once('connect', () => done(true))
    socket.once('error', () => done(false))
    socket.once('timeout', () => done(false))
  })
}

async function findAgent({ screenPort }: AgentSettings): Promise<Finding> {
  const view = await runningView(screenPort)
  if (view === undefined) {
    const advice = ': start it with "escale-agent run", and look at its log.'
    return { isGood: false, what: `no agent runs on port ${screenPort}`, advice }
  }
  if (view.isOnline === true) return { isGood: true, what: `agent running, ${view.phase ?? 'unknown'}` }
  return { isGood: false, what: 'agent running without its server', advice: ': see the lines above.' }
}
