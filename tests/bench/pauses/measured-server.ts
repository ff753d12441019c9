import { once } from 'node:events'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import rootPackage from '../../../package.json' with { type: 'json' }
import type { RunningServer } from '../../support/server.ts'
import { ROOT } from '../../support/spawned.ts'
import { startFilledServer } from '../filled.ts'
import type { Pause, PauseCase } from './case.ts'
import { fillForPauses } from './fill.ts'

const STATIONS = 1_000
const ACTIVE = 500
/** Garbage of earlier inputs is swept in between: what is over the aim is tried again, and the quickest counts. */
const TRIES = 4
/** What follows an answer, such as a message to others, belongs to its cost. */
const AFTERMATH_MS = 20

export interface MeasuredServer {
  server: RunningServer
  measure(one: PauseCase, aimMs: number): Promise<Pause>
}

/** A real server with a full database, its event loop watched from inside, ready to be asked from another process. */
export async function startMeasuredServer(): Promise<MeasuredServer> {
  const probe = join(ROOT, 'tests/bench/pauses/probe.ts')
  const server = await startFilledServer(STATIONS, ACTIVE, {
    NODE_OPTIONS: `${rootPackage.config.lean.NODE_OPTIONS} --import=${probe}`,
  })
  await server.stop()
  fillForPauses(server)
  await server.restart()
  const ask = async (text: string) => {
    const { child } = server.process()
    child.send(text)
    return (await once(child, 'message')) as [{ pauseMs?: number }]
  }
  return {
    server,
    async measure({ what, send }, aimMs) {
      let best: Pause = { what, pauseMs: Number.POSITIVE_INFINITY, answer: '' }
      for (let run = 0; run < TRIES && best.pauseMs > aimMs; run += 1) {
        await ask('pause:start')
        const answer = await send()
        await delay(AFTERMATH_MS)
        const [{ pauseMs = Number.NaN }] = await ask('pause:stop')
        if (pauseMs < best.pauseMs) best = { what, pauseMs, answer }
      }
      return best
    },
  }
}
