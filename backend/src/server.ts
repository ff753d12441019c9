import { randomBytes } from 'node:crypto'
import { existsSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { destination, pino } from 'pino'
import { appOptionsOf } from './app-options.ts'
import { createApp } from './app.ts'
import { readEnvironment, type Environment } from './environment.ts'

/** A stop that takes longer than this is cut short. */
const STOP_TIMEOUT_MS = 2_500
const PARENT_CHECK_MS = 500
/** Never in the log, wherever they turn up; a failed statement of the database quotes names and hashes. */
const redacted = [
  'req.headers.authorization',
  '*.password',
  '*.mqttSecret',
  '*.accessCode',
  '*.token',
  'params.code',
  'body.code',
  'err.sql',
  'err.parameters',
  'err.parent',
  'err.original',
]
const LOOPBACK = '127.0.0.1'

const stops: (() => Promise<void>)[] = []
let isStopping = false

try {
  await start()
} catch (err) {
  process.stderr.write(`${explain(err)}\n`)
  process.exit(1)
}

async function start(): Promise<void> {
  if (existsSync('.env')) process.loadEnvFile('.env')
  const environment = readEnvironment(process.env)
  const log = pino(
    { level: environment.ESCALE_LOG_LEVEL, redact: redacted },
    destination({ dest: 2, sync: true }),
  )
  stopWithParent()

  let mqttPort = environment.ESCALE_MQTT_PORT
  const app = await createApp(appOptionsOf(environment, log, () => mqttPort))
  stops.push(app.close)

  const { ESCALE_ADMIN_USERNAME: username } = environment
  const password = environment.ESCALE_ADMIN_PASSWORD || randomBytes(12).toString('base64url')
  const isFirstStart = await app.operators.ensureFirst(username, password)

  await app.prepare()
  const host = listenHost(environment)
  if (host !== environment.ESCALE_HOST) {
    log.warn('plain HTTP and MQTT stay on loopback; ESCALE_PLAIN_LAN=true opens them to the network')
  } else if (!isLoopback(host)) {
    log.warn({ host }, 'plain HTTP and MQTT are open to the network: codes and passwords travel unencrypted')
  }
  const mqtt = await app.broker.listen({ host, port: mqttPort })
  mqttPort = mqtt.port
  await app.http.listen({ host, port: environment.ESCALE_HTTP_PORT })
  const http = app.http.server.address() as AddressInfo

  if (isFirstStart && !environment.ESCALE_ADMIN_PASSWORD) {
    say(
      `Premier démarrage\u00a0: connectez-vous avec «\u202f${username}\u202f» et ce mot de passe, affiché une seule fois.`,
    )
    say(`First start: sign in as “${username}” with this password, shown only once.`)
    say(`  ${password}`)
  }
  say(`escale ready ${addressOf('http', http)} ${addressOf('mqtt', mqtt)}`)
}

/** The process ends when whoever started it does, however that ended. */
function stopWithParent(): void {
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => void stop())
  process.on('disconnect', () => void stop())
  const parent = process.ppid
  setInterval(() => {
    if (process.ppid !== parent) void stop()
  }, PARENT_CHECK_MS).unref()
}

async function stop(): Promise<void> {
  if (isStopping) return
  isStopping = true
  setTimeout(() => process.exit(1), STOP_TIMEOUT_MS)
  for (const end of stops) await end()
  process.exit(0)
}

/** Without encryption nothing leaves this machine, unless the site says so. */
function listenHost({ ESCALE_HOST, ESCALE_PLAIN_LAN }: Environment): string {
  return ESCALE_PLAIN_LAN || isLoopback(ESCALE_HOST) ? ESCALE_HOST : LOOPBACK
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || host.startsWith('127.')
}

function addressOf(scheme: string, { address, family, port }: AddressInfo): string {
  const host = address === '0.0.0.0' || address === '::' ? 'localhost' : address
  return `${scheme}://${family === 'IPv6' && host !== 'localhost' ? `[${host}]` : host}:${port}`
}

function explain(err: unknown): string {
  if (!(err instanceof Error)) return String(err)
  const { code, port } = err as NodeJS.ErrnoException & { port?: number }
  if (code === 'EADDRINUSE') {
    return (
      `Le port ${port} est déjà pris\u00a0: arrêtez ce qui l’utilise, ou choisissez-en un autre (voir .env.example).\n` +
      `Port ${port} is already taken: stop what uses it, or choose another (see .env.example).`
    )
  }
  return `${err.message}\n${err.stack ?? ''}`
}

function say(line: string): void {
  process.stdout.write(`${line}\n`)
}
