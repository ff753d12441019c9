import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import rootPackage from '../../package.json' with { type: 'json' }
import { freePorts, spawned, type Spawned } from './spawned.ts'

export interface RunningServer {
  readonly url: string
  readonly mqttUrl: string
  readonly dataDir: string
  readonly username: string
  readonly password: string
  readonly enrolmentKey: string
  process: () => Spawned
  /** `kill -9`; data and ports are kept. */
  kill: () => Promise<void>
  /** Starts again with the same data and ports, after `kill` or `stop`. */
  restart: () => Promise<void>
  /** Stops the server normally; returns the exit code. */
  stop: () => Promise<number | string>
  /** Stops and removes the data. */
  dispose: () => Promise<void>
}

export interface ServerOptions {
  env?: NodeJS.ProcessEnv
  password?: string
  /** The longest time until it is ready. A first start creates certificates. */
  withinMs?: number
}

/** Settings that put every listener on loopback, each with a free port. */
export async function freeListeners() {
  const [http = 0, https = 0, mqtt = 0, mqtts = 0] = await freePorts(4)
  const settings = {
    ESCALE_HOST: '127.0.0.1',
    ESCALE_HTTP_PORT: String(http),
    ESCALE_HTTPS_PORT: String(https),
    ESCALE_MQTT_PORT: String(mqtt),
    ESCALE_MQTTS_PORT: String(mqtts),
    ESCALE_FLOWS_PORT: '0',
  }
  return { settings, http, mqtt }
}

export const READY = /^escale ready.*$/m

/** Starts a real server process with the environment of `npm start`, free ports and a new data folder, and waits until it is ready. */
export async function startServer({
  env = {},
  password,
  withinMs,
}: ServerOptions = {}): Promise<RunningServer> {
  const dataDir = await mkdtemp(join(tmpdir(), 'escale-data-'))
  const { settings: ports, http, mqtt } = await freeListeners()
  const credentials = {
    username: 'admin',
    password: password ?? 'epreuve-du-metier-principal',
    enrolmentKey: 'cle-du-site-pour-les-essais',
  }
  const settings = {
    ...rootPackage.config.lean,
    ...ports,
    ESCALE_DATA_DIR: dataDir,
    ESCALE_ADMIN_USERNAME: credentials.username,
    ESCALE_ADMIN_PASSWORD: credentials.password,
    ESCALE_ENROLMENT_KEY: credentials.enrolmentKey,
    ...env,
  }
  let running: Spawned
  const start = async () => {
    running = spawned(process.execPath, ['backend/src/server.ts'], { env: settings })
    await running.waitFor(READY, withinMs)
  }
  await start()
  const host = env.ESCALE_HOST ?? '127.0.0.1'
  return {
    url: `http://${host}:${env.ESCALE_HTTP_PORT ?? http}`,
    mqttUrl: `mqtt://${host}:${env.ESCALE_MQTT_PORT ?? mqtt}`,
    dataDir,
    ...credentials,
    process: () => running,
    kill: async () => {
      await running.kill()
    },
    restart: start,
    stop: () => running.stop(),
    dispose: async () => {
      await running.stop()
      await rm(dataDir, { recursive: true, force: true })
    },
  }
}
