import { randomBytes } from 'node:crypto'
import { existsSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { destination, pino } from 'pino'
import { appOptionsOf, certificateFolderOf } from './app-options.ts'
import { createApp } from './app.ts'
import { openCertificates, speaksFor, type Certificates } from './certificates/index.ts'
import { SetupError, readEnvironment } from './environment.ts'
import { AppError } from './errors.ts'
import { createListeners, type ListenerPair } from './listeners.ts'

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
  // What is written from here on is of visitors: nobody else on this machine reads it, whatever the folder allows.
  process.umask(0o077)

  let where: { broker: ListenerPair; certificates: Certificates } | undefined = undefined
  const options = appOptionsOf(environment, log, () => brokerSiteOf(where))
  const folder = certificateFolderOf(environment, options.clock)
  const [app, certificates] = await Promise.all([
    createApp(options),
    openCertificates(folder, options.clock, log),
  ])
  stops.push(app.close, async () => certificates.close())

  const { ESCALE_ADMIN_USERNAME: username } = environment
  const password = environment.ESCALE_ADMIN_PASSWORD || randomBytes(12).toString('base64url')
  const isFirstStart = await app.operators.ensureFirst(username, password).catch(refuseWeakPassword)

  await app.prepare()
  const listeners = createListeners(app, certificates, environment, log)
  const broker = await listeners.openBroker()
  where = { broker, certificates }
  const http = await listeners.openHttp()

  if (isFirstStart && !environment.ESCALE_ADMIN_PASSWORD) {
    say(
      `Premier démarrage\u00a0: connectez-vous avec «\u202f${username}\u202f» et ce mot de passe, affiché une seule fois.`,
    )
    say(`First start: sign in as “${username}” with this password, shown only once.`)
    say(`  ${password}`)
  }
  const schemes = { http: http.plain, mqtt: broker.plain, https: http.secure, mqtts: broker.secure }
  const addresses = Object.entries(schemes).flatMap(([scheme, address]) =>
    address ? [addressOf(scheme, address)] : [],
  )
  say(`escale ready ${addresses.join(' ')}`)
}

/** @throws SetupError for a first password that is too weak, which whoever starts the server can mend */
function refuseWeakPassword(err: unknown): never {
  const [weakness] = err instanceof AppError && err.code === 'weak-password' ? (err.extras.errors ?? []) : []
  if (!weakness) throw err
  throw new SetupError(
    `ESCALE_ADMIN_PASSWORD ne convient pas. ${weakness.message.fr}\n` +
      `ESCALE_ADMIN_PASSWORD does not fit. ${weakness.message.en}`,
  )
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

/** What stations are told; nobody can ask before the broker listens. */
function brokerSiteOf(where: { broker: ListenerPair; certificates: Certificates } | undefined) {
  if (!where) throw new Error('the broker does not listen yet')
  const { leaf, authority } = where.certificates.current()
  const { plain, secure } = where.broker
  const certificate = { authority, speaksFor: (host: string) => speaksFor(leaf, host) }
  return { mqttPort: plain.port, mqttsPort: secure?.port, certificate }
}

function addressOf(scheme: string, { address, family, port }: AddressInfo): string {
  const host = address === '0.0.0.0' || address === '::' ? 'localhost' : address
  return `${scheme}://${family === 'IPv6' && host !== 'localhost' ? `[${host}]` : host}:${port}`
}

function explain(err: unknown): string {
  if (!(err instanceof Error)) return String(err)
  const { code, port, hostname } = err as NodeJS.ErrnoException & { port?: number; hostname?: string }
  if (code === 'EADDRINUSE') {
    return (
      `Le port ${port} est déjà pris\u00a0: arrêtez ce qui l’utilise, ou choisissez-en un autre (voir .env.example).\n` +
      `Port ${port} is already taken: stop what uses it, or choose another (see .env.example).`
    )
  }
  if (code === 'EADDRNOTAVAIL' || (code === 'ENOTFOUND' && hostname === process.env.ESCALE_HOST)) {
    return (
      `ESCALE_HOST n’est pas une adresse de cette machine (${err.message})\u00a0: donnez 0.0.0.0, ou l’une des siennes.\n` +
      `ESCALE_HOST is no address of this machine (${err.message}): give 0.0.0.0, or one of its own.`
    )
  }
  if (err instanceof SetupError) return err.message
  return (
    `${err.message}\n${err.stack ?? ''}\n` +
    'Escale n’a pas pu démarrer\u00a0: «\u202fnpm run doctor\u202f» cherche pourquoi et dit quoi faire.\n' +
    'Escale could not start: “npm run doctor” looks for the reason and says what to do.'
  )
}

function say(line: string): void {
  process.stdout.write(`${line}\n`)
}
