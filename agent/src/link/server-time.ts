import { unixMsOf } from '@escale/protocol'
import pTimeout from 'p-timeout'
import { sampleOf, type ClockSample } from '../core/index.ts'
import type { Requests } from './requests.ts'

/** Several questions: the shortest round trip tells the server's clock best. */
const BURST = 5
const LIMIT_MS = 1_500
/** After the first answer: what a station has to tell does not wait for the rest of a burst on a busy server. */
const PATIENCE_MS = 500

export type ServerTime = ReturnType<typeof createServerTime>

/** Asks the server for its time. */
export function createServerTime(
  ask: Requests['ask'],
  nowMs: () => number,
  onSample: (sample: ClockSample) => void,
) {
  /** @returns whether the server answered */
  const askOnce = async (): Promise<boolean> => {
    const sentMs = nowMs()
    const answer = await ask('time', {}, { limitMs: LIMIT_MS, isResent: false })
    const arrivedMs = nowMs()
    if (answer?.ok !== true) return false
    const { receivedAt, sentAt } = answer.data
    if (typeof receivedAt !== 'string' || typeof sentAt !== 'string') return false
    const [serverReceivedMs, serverSentMs] = [unixMsOf(receivedAt), unixMsOf(sentAt)]
    onSample(sampleOf({ sentMs, arrivedMs, serverReceivedMs, serverSentMs }))
    return true
  }

  const askOften = async (times = BURST): Promise<void> => {
    for (let asked = 0; asked < times; asked += 1) if (!(await askOnce())) return
  }

  return {
    askOnce,
    askOften: () => askOften(),
    /** Resolves once the time is known, with the rest of the burst where it comes soon. */
    async askAtStart(): Promise<void> {
      if (!(await askOnce())) return
      await pTimeout(askOften(BURST - 1), { milliseconds: PATIENCE_MS, fallback: () => undefined })
    },
  }
}
