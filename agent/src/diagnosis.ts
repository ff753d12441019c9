import { request as requestHttp } from 'node:http'
import { request as requestHttps } from 'node:https'
import { connect } from 'node:net'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { text as readText } from 'node:stream/consumers'
import { makeDataDir } from './data-dir.ts'
import { shownFingerprint } from './link/fingerprint.ts'
import { tlsFailureOf } from './link/tls-failure.ts'
import { checkServer, type Trust } from './link/trust.ts'
import { SettingsError } from './settings-error.ts'
import type { KioskStatus } from './kiosk.ts'
import { RUNS_AS_ROOT, findBrowser, NO_BROWSER } from './platform/linux/kiosk-browser.ts'
import { readScreenKey } from './platform/linux/seat/screen-files.ts'
import { createPage } from './screen/page.ts'
import { cookieOf } from './screen/screen-key.ts'
import type { AgentSettings } from './settings.ts'
import { createFileStore } from './store.ts'

const ANSWER_LIMIT_MS = 3_000

export interface Finding {
  isGood: boolean
  what: string
  /** What to do about it, in one sentence. */
  advice?: string
}

interface RunningView {
  phase?: string
  stationId?: string
  label?: string
  isOnline?: boolean
}

const noAgent = (port: number) =>
  `aucun agent ne répond sur le port ${port} · no agent answers on port ${port}`

/** What the agent on this machine shows; undefined when none answers. */
export const runningView = (screenPort: number) => askAgent<RunningView>(screenPort, 'state')

/** The answer of the agent on this machine; undefined when no agent answers. */
async function askAgent<T>(screenPort: number, what: 'state' | 'kiosk'): Promise<T | undefined> {
  const url = new URL(`http://127.0.0.1:${screenPort}/api/${what}`)
  try {
    // A station with a lock of its own answers root alone.
    const key = await readScreenKey()
    const headers: Record<string, string> = key === undefined ? {} : { cookie: cookieOf(key) }
    const { status, text } = await get(url, undefined, headers)
    return status === 200 ? (JSON.parse(text) as T) : undefined
  } catch {
    return undefined
  }
}

/** The status of the agent that runs on this machine. */
export async function statusOf({
  screenPort,
  dataDir,
}: AgentSettings): Promise<{ isRunning: boolean; lines: string[] }> {
  const view = await runningView(screenPort)
  if (view === undefined) return { isRunning: false, lines: [noAgent(screenPort)] }
  const trust = await createFileStore(dataDir).readTrust()
  const lines = [
    `station ${view.stationId ?? '(pairing)'}${view.label === undefined ? '' : ` (${view.label})`}`,
    `state ${view.phase ?? 'unknown'}`,
    `server ${view.isOnline === true ? 'connected' : 'not connected'}`,
    ...(trust === undefined ? [] : [describeTrust(trust)]),
  ]
  return { isRunning: true, lines }
}

/** The settings to check, and the user who checks them. */
export type Settings = AgentSettings & { searchPath: string; isRoot: boolean }

/** Checks everything that the agent needs, with one finding for each. */
export async function examine(settings: Settings): Promise<Finding[]> {
  const [data, page, agent] = [await findData(settings), await findPage(), await findAgent(settings)]
  const kiosk = settings.hasKiosk ? [await findKiosk(settings)] : []
  if (!data.isGood) return [data, page, ...kiosk, agent]
  const elsewhere = [...(await findServer(settings)), ...(await findBroker(settings))]
  return [data, page, ...elsewhere, ...kiosk, agent]
}

/** The kiosk's status from the running agent. Without an agent: whether a browser could be opened. */
async function findKiosk({ screenPort, searchPath, isRoot }: Settings): Promise<Finding> {
  const status = await askAgent<Partial<KioskStatus>>(screenPort, 'kiosk')
  if (status?.state === 'shown') return { isGood: true, what: 'kiosk shows the screen' }
  if (status?.state !== undefined) {
    const what = `kiosk does not show the screen: ${status.reason ?? 'it is starting'}`
    return { isGood: false, what }
  }
  if (process.platform !== 'linux') return { isGood: true, what: 'kiosk is opened by the installer' }
  if ((await findBrowser(searchPath)) === undefined) return { isGood: false, what: NO_BROWSER }
  return isRoot ? { isGood: false, what: RUNS_AS_ROOT } : { isGood: true, what: 'kiosk can be opened' }
}

async function findData({ dataDir }: AgentSettings): Promise<Finding> {
  try {
    makeDataDir(dataDir)
    for (const name of ['identity.json', 'trust.json', 'state.json', 'commands.json'])
      await readFile(join(dataDir, name)).catch(unlessMissing)
    return { isGood: true, what: `data folder ${dataDir}` }
  } catch (err) {
    if (err instanceof SettingsError) return { isGood: false, what: err.message }
    const advice = ': let this user read and write it, or choose another with --data-dir.'
    const reason = (err as NodeJS.ErrnoException).code ?? String(err)
    return { isGood: false, what: `data folder ${dataDir} cannot be used (${reason})`, advice }
  }
}

function unlessMissing(err: unknown): void {
  if ((err as NodeJS.ErrnoException).code !== 'ENOENT') throw err
}

async function findPage(): Promise<Finding> {
  const isThere = await createPage().then(
    () => true,
    () => false,
  )
  if (isThere) return { isGood: true, what: 'screen page' }
  return { isGood: false, what: 'screen page missing', advice: ': run "npm run build -w agent".' }
}

function describeTrust({ caCertificate, origin }: Trust): string {
  if (caCertificate === undefined) return 'authority known to this machine'
  const words = origin === 'given' ? 'given at install' : 'trusted on first use'
  return `authority ${shownFingerprint(caCertificate)}, ${words}`
}

async function findServer({ server, dataDir, caFingerprint }: AgentSettings): Promise<Finding[]> {
  if (server === undefined) {
    return [{ isGood: false, what: 'no server given', advice: ': say where it is with --server.' }]
  }
  const isEncrypted = server.startsWith('https:')
  const trust = isEncrypted ? await createFileStore(dataDir).readTrust() : undefined
  if (isEncrypted && trust?.server !== server) {
    const how = caFingerprint === undefined ? 'on first use' : 'by the fingerprint given'
    return [
      { isGood: true, what: `server ${server} not met yet: it will be trusted ${how} when the agent runs` },
    ]
  }
  const reached = await reach(server, trust?.caCertificate)
  if (!reached.isGood) return [reached]
  return [reached, ...(trust === undefined ? [] : [{ isGood: true, what: describeTrust(trust) }])]
}

async function findBroker({ dataDir, server }: AgentSettings): Promise<Finding[]> {
  const store = createFileStore(dataDir)
  const identity = await store.readIdentity()
  if (identity === undefined) {
    return [{ isGood: true, what: 'not enrolled yet: it will be when the agent runs' }]
  }
  const trust = server?.startsWith('https:') ? await store.readTrust() : undefined
  return [await reach(identity.mqttUrl, trust?.caCertificate ?? identity.caCertificate)]
}

/** Whether the server answers at this address and, for an encrypted one, whether its certificate is valid. */
async function reach(url: string, caCertificate: string | undefined): Promise<Finding> {
  const { protocol } = new URL(url)
  const what = `${protocol.startsWith('mqtt') ? 'broker' : 'server'} ${url}`
  const isEncrypted = protocol === 'mqtts:' || protocol === 'wss:'
  try {
    if (protocol.startsWith('http')) {
      const { status } = await get(new URL('/healthz', url), caCertificate)
      if (status !== 200)
        return { isGood: false, what: `${what} answers ${status}`, advice: ': look at its log.' }
    } else if (isEncrypted) await checkServer(url, caCertificate, AbortSignal.timeout(ANSWER_LIMIT_MS))
    else await canConnect(url)
    return { isGood: true, what }
  } catch (err) {
    const failure = tlsFailureOf(err)
    if (failure !== undefined) return { isGood: false, what: `${what} refused: ${failure}.` }
    const advice = ': check that the server runs, the address, the cable, and the firewall for this port.'
    return { isGood: false, what: `${what} does not answer`, advice }
  }
}

/** Not `fetch`: it needs WebAssembly, which the binary is built without. */
function get(
  url: URL,
  ca: string | undefined,
  headers: Record<string, string> = {},
): Promise<{ status: number; text: string }> {
  const send = url.protocol === 'https:' ? requestHttps : requestHttp
  const signal = AbortSignal.timeout(ANSWER_LIMIT_MS)
  return new Promise((resolve, reject) => {
    const request = send(url, { ca, agent: false, signal, headers }, (response) => {
      readText(response).then((text) => resolve({ status: response.statusCode ?? 0, text }), reject)
    })
    request.on('error', reject).end()
  })
}

function canConnect(url: string): Promise<void> {
  const { hostname, port, protocol } = new URL(url)
  const usual = protocol === 'mqtt:' ? 1883 : 80
  const host = hostname.replace(/^\[|\]$/g, '')
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port: Number(port) || usual, timeout: ANSWER_LIMIT_MS })
    const done = (err?: Error) => {
      socket.destroy()
      if (err) reject(err)
      else resolve()
    }
    socket.once('connect', () => done())
    socket.once('error', done)
    socket.once('timeout', () => done(new Error('no answer in time')))
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
