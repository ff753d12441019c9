import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { freePorts, spawned, type Spawned } from './spawned.ts'
import type { RunningServer } from './server.ts'
import type { Identity } from './station-client.ts'

export interface RunningAgent {
  readonly screenUrl: string
  readonly screenPort: number
  readonly dataDir: string
  /** `kill -9`; data and port are kept. */
  kill: () => Promise<void>
  /** Starts again with the same data and port, after `kill`. */
  restart: () => Promise<void>
  process: () => Spawned
  /** Stops and removes the data. */
  dispose: () => Promise<void>
}

const READY = /^escale-agent ready.*screen=(http:\S+)/m

export interface AgentProcess {
  env?: NodeJS.ProcessEnv
  /** Starts the agent; its arguments follow. By default it runs from its sources. */
  command?: readonly string[]
  /** The longest time until it is ready. */
  withinMs?: number
}

/** A real agent process that enrols with the site key as the station that has this MAC address. */
export function startAgent(
  server: Pick<RunningServer, 'url' | 'enrolmentKey'>,
  macAddress: string,
  options: AgentProcess = {},
): Promise<RunningAgent> {
  const identity = ['--server', server.url, '--enrolment-key', server.enrolmentKey, '--mac', macAddress]
  return run(identity, options)
}

/** A real agent process that already has its identity, and reaches server and broker only at this address. */
export function startAgentAs(
  url: string,
  { stationId, mqttSecret }: Identity,
  env?: NodeJS.ProcessEnv,
): Promise<RunningAgent> {
  return run(['--server', url, '--station-id', stationId, '--mqtt-secret', mqttSecret], { env })
}

const FROM_SOURCES = [process.execPath, 'agent/src/main.ts']

async function run(identity: string[], options: AgentProcess): Promise<RunningAgent> {
  const { env, command = FROM_SOURCES, withinMs } = options
  const dataDir = await mkdtemp(join(tmpdir(), 'escale-agent-'))
  const [screenPort = 0] = await freePorts(1)
  const args = ['run', ...identity, '--data-dir', dataDir, '--screen-port', String(screenPort), '--no-kiosk']
  let running: Spawned
  let screenUrl = ''
  const start = async () => {
    const [program = '', ...before] = command
    running = spawned(program, [...before, ...args], { env })
    screenUrl = (await running.waitFor(READY, withinMs))[1] ?? ''
  }
  await start()
  return {
    ...{ screenUrl, screenPort, dataDir },
    kill: async () => {
      await running.kill()
    },
    restart: start,
    process: () => running,
    dispose: async () => {
      await running.stop()
      await rm(dataDir, { recursive: true, force: true })
    },
  }
}
