import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { freePorts, spawned, type Spawned } from './spawned.ts'
import type { RunningServer } from './server.ts'

export interface RunningAgent {
  readonly screenUrl: string
  readonly process: Spawned
  dispose: () => Promise<void>
}

const READY = /^escale-agent ready.*screen=(http:\S+)/m

/** A real agent process that enrols with the site key as the station that has this MAC address. */
export async function startAgent(
  server: Pick<RunningServer, 'url' | 'enrolmentKey'>,
  macAddress: string,
): Promise<RunningAgent> {
  const dataDir = await mkdtemp(join(tmpdir(), 'escale-agent-'))
  const [screenPort = 0] = await freePorts(1)
  const args = ['run', '--server', server.url, '--enrolment-key', server.enrolmentKey, '--mac', macAddress]
  args.push('--data-dir', dataDir, '--screen-port', String(screenPort), '--no-kiosk')
  const running = spawned(process.execPath, ['agent/src/main.ts', ...args])
  const [, screenUrl = ''] = await running.waitFor(READY)
  return {
    screenUrl,
    process: running,
    dispose: async () => {
      await running.stop()
      await rm(dataDir, { recursive: true, force: true })
    },
  }
}
