import type { Row } from '../measure.ts'
import { busCases } from './bus-cases.ts'
import type { Pause } from './case.ts'
import { httpCases } from './http-cases.ts'
import { startMeasuredServer } from './measured-server.ts'

const AIM_MS = 50
const SHOWN = 20

/**
 * The longest pauses of the server's event loop, for the largest permitted input of each route, topic and socket.
 * During such a pause the server answers nobody.
 * @param wanted measures only the cases whose name contains one of these words
 */
export async function pauses(note: (text: string) => void, wanted: readonly string[] = []): Promise<Row[]> {
  const { server, measure } = await startMeasuredServer()
  const all = [...(await httpCases(server)), ...(await busCases(server))]
  const cases = all.filter(({ what }) => wanted.length === 0 || wanted.some((word) => what.includes(word)))
  note(`longest pauses, ${cases.length} inputs …`)
  const measured: Pause[] = []
  for (const one of cases) {
    const pause = await measure(one, AIM_MS)
    measured.push(pause)
    if (pause.pauseMs > AIM_MS) note(`${pause.what}: ${pause.pauseMs.toFixed(0)} ms (${pause.answer})`)
  }
  await server.dispose()
  const worst = measured.toSorted((a, b) => b.pauseMs - a.pauseMs)
  const missed = worst.filter(({ pauseMs }) => pauseMs > AIM_MS).length
  return [
    { what: `Longest pause, inputs over the aim`, figure: `${missed} of ${worst.length}`, aim: '0' },
    ...worst.slice(0, Math.max(SHOWN, missed)).map(({ what, pauseMs, answer }) => ({
      what: `Longest pause: ${what} (${answer})`,
      figure: `${pauseMs.toFixed(1)} ms`,
      aim: `${AIM_MS} ms`,
    })),
  ]
}
