import { randomBytes } from 'node:crypto'
import type { AddressInfo } from 'node:net'
import { resolve } from 'node:path'
import { parseArgs } from 'node:util'
import type { Logger } from 'pino'
import { appOptionsOf, certificateFolderOf, openDataOf } from './setup/app-options.ts'
import { createApp } from './app.ts'
import { finishRestore } from './backup/restore.ts'
import { openCertificates, type Certificates } from './certificates/certificates.ts'
import { isValidFor } from './certificates/names.ts'
import type { Environment } from './setup/environment.ts'
import { AppError, SetupError } from './errors.ts'
import { makeFolder } from './setup/folder.ts'
import { openLog } from './setup/log.ts'
import { createListeners, type ListenerPair } from './setup/listeners.ts'
import { readSettings } from './setup/settings-file.ts'
import { lockSite, type SiteLock } from './setup/site-lock.ts'
import { explain } from './setup/start-failure.ts'
import { welcome } from './setup/welcome.ts'

/** After this time a stop ends the process, even if something is still stopping. */
const STOP_TIMEOUT_MS = 2_500
const PARENT_CHECK_MS = 500
const stops: (() => Promise<void>)[] = []
const stopping = new AbortController()
let lock: SiteLock | undefined

try {
  await start()
} catch (err) {
  // During a stop, the start can fail because its resources are closed. That is not an error; the stop ends the process.
  if (!stopping.signal.aborted) {
    process.stderr.write(`${explain(err)}\n`)
    await lock?.release()
    process.exit(1)
  }
}

async function start(): Promise<void> {
  const intentions = intentionsOf(process.argv.slice(2))
  const { environment, remarks } = readSettings()
  for (const { french, english } of remarks) process.stderr.write(`${french}\n${english}\n`)
  const log = await openLog(environment.ESCALE_LOG_LEVEL)
  stopWithParent()
  // Files written from here on hold visitors' data: only this user of the machine may read them.
  process.umask(0o077)

  lock = await lockOf(environment, log)
  const data = await openDataOf(environment, intentions)

  let where: { broker: ListenerPair; certificates: Certificates } | undefined = undefined
  const options = appOptionsOf(environment, data, log, () => brokerSiteOf(where))
  const folder = certificateFolderOf(environment, options.clock)
  const [app, certificates] = await Promise.all([
    createApp(options),
    openCertificates(folder, options.clock, log),
  ])
  stops.unshift(app.close, async () => certificates.close())

  await app.prepare()
  const listeners = createListeners(app, certificates, environment, options.clock, log)
  const broker = await listeners.openBroker()
  where = { broker, certificates }
  const http = await listeners.openHttp()

  // Comes last: the drawn password is shown only once, so no later step may fail, such as opening a port that is taken.
  const { ESCALE_ADMIN_USERNAME: username } = environment
  const password = environment.ESCALE_ADMIN_PASSWORD || randomBytes(12).toString('base64url')
  const isFirstStart = await app.operators.ensureFirst(username, password).catch(refuseWeakPassword)
  data.settle()

  const schemes = { http: http.plain, mqtt: broker.plain, https: http.secure, mqtts: broker.secure }
  const addresses = Object.entries(schemes).flatMap(([scheme, address]) =>
    address ? [addressOf(scheme, address)] : [],
  )
  const ready = `escale ready ${addresses.join(' ')}`
  const isDrawn = isFirstStart && !environment.ESCALE_ADMIN_PASSWORD
  // Written at once, so that a program that waits for the first line also has the password.
  say(
    isDrawn ? `${ready}\n${welcome({ username, password, address: addressOf('http', http.plain) })}` : ready,
  )
}

/** @throws SetupError if the first password is too weak */
function refuseWeakPassword(err: unknown): never {
  const [weakness] = err instanceof AppError && err.code === 'weak-password' ? (err.extras.errors ?? []) : []
  if (!weakness) throw err
  throw new SetupError(
    `ESCALE_ADMIN_PASSWORD ne convient pas. ${weakness.message.fr}`,
    `ESCALE_ADMIN_PASSWORD does not fit. ${weakness.message.en}`,
  )
}

/** The options of `npm start -- …`. @throws SetupError for any other argument */
function intentionsOf(args: string[]): { isNewSite: boolean; isNewKeys: boolean } {
  try {
    const { values } = parseArgs({
      args,
      options: { 'new-site': { type: 'boolean' }, 'new-keys': { type: 'boolean' } },
    })
    return { isNewSite: values['new-site'] ?? false, isNewKeys: values['new-keys'] ?? false }
  } catch (err) {
    const given = args.join(' ')
    throw new SetupError(
      `Le serveur ne connaît pas «\u202f${given}\u202f»\u00a0: il prend --new-site et --new-keys\u202f; les réglages vont dans .env (voir .env.example).`,
      `The server does not know “${given}”: it takes --new-site and --new-keys; settings belong in .env (see .env.example).`,
      err,
    )
  }
}

/** Creates the data folder and locks it for this server. Reports if the previous server did not stop normally. */
async function lockOf(environment: Environment, log: Logger): Promise<SiteLock> {
  const folder = resolve(environment.ESCALE_DATA_DIR)
  makeFolder(folder)
  const { DATABASE_URL: databaseUrl, ESCALE_REDIS_URL } = environment
  const taken = await lockSite({ folder, databaseUrl, isShared: ESCALE_REDIS_URL !== '', log })
  stops.push(taken.release)
  // This is the only server, so no restore is running. Finish a restore that was interrupted by a loss of power.
  if (ESCALE_REDIS_URL === '') finishRestore(folder)
  if (taken.crashedSince === undefined) return taken
  say(
    `Le serveur précédent (démarré le ${taken.crashedSince}) ne s’est pas arrêté normalement\u00a0: coupure de courant, panne ou arrêt forcé. Tout ce qu’il avait confirmé est là. · ` +
      `The server before this one (started ${taken.crashedSince}) did not stop in order: loss of power, crash or kill. Everything that it had confirmed is there.`,
  )
  return taken
}

/** Ends this process when its parent process ends for any reason. */
function stopWithParent(): void {
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => void stop())
  process.on('disconnect', () => void stop())
  const parent = process.ppid
  setInterval(() => {
    if (process.ppid !== parent) void stop()
  }, PARENT_CHECK_MS).unref()
}

async function stop(): Promise<void> {
  if (stopping.signal.aborted) return
  stopping.abort()
  setTimeout(() => process.exit(1), STOP_TIMEOUT_MS)
  for (const end of stops) await end()
  process.exit(0)
}

/** The broker's address for stations. Nobody can ask for it before the broker listens. */
function brokerSiteOf(where: { broker: ListenerPair; certificates: Certificates } | undefined) {
  if (!where) throw new Error('the broker does not listen yet')
  const { leaf, authority } = where.certificates.current()
  const { plain, secure } = where.broker
  const certificate = { authority, speaksFor: (host: string) => isValidFor(leaf, host) }
  return { mqttPort: plain.port, mqttsPort: secure?.port, certificate }
}

function addressOf(scheme: string, { address, family, port }: AddressInfo): string {
  const host = address === '0.0.0.0' || address === '::' ? 'localhost' : address
  return `${scheme}://${family === 'IPv6' && host !== 'localhost' ? `[${host}]` : host}:${port}`
}

function say(line: string): void {
  process.stdout.write(`${line}\n`)
}
