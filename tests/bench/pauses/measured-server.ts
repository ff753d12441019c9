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
/** Garbage collection of earlier inputs can add to a pause: a result over the aim is tried again, and the best counts. */
const TRIES = 4
/** Work that follows the answer, such as messages to other clients, is measured too. */
const AFTER_ANSWER_MS = 20

export interface MeasuredServer {
  server: RunningServer
  measure(one: PauseCase, aimMs: number): Promise<Pause>
}

/** A real server with a full database. A probe inside it measures the pauses of its event loop. */
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
        await delay(AFTER_ANSWER_MS)
        const [{ pauseMs = Number.NaN }] = await ask('pause:stop')
        if (pauseMs < best.pauseMs) best = { what, pauseMs, answer }
      }
      return best
    },
  }
}
