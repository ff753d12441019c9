import { SECOND_MS } from '@escale/protocol'
import type { Logger } from 'pino'
import type { Clock } from '../../clock.ts'
import type { AppEvents } from '../../events.ts'
import type { CommandService } from './service.ts'

/** A timer cannot wait longer than 2^31 ms, and none needs to. */
const LONGEST_WAIT_MS = 3_600_000
const RETRY_MS = SECOND_MS

/** Gives commands up at their expiry, with one timer for the next; and hears which stations have woken. */
export function createCommandDeadlines(ports: {
  commands: Pick<CommandService, 'expireDue' | 'isWaking' | 'noteHeard' | 'start'>
  events: AppEvents
  clock: Clock
  log: Logger
}) {
  const { commands, events, clock, log } = ports
  const underway = new Set<Promise<void>>()
  let timer: NodeJS.Timeout | undefined
  let newestLook = 0
  let isStopped = false

  const track = (work: Promise<void>): Promise<void> => {
    underway.add(work)
    return work.finally(() => underway.delete(work))
  }

  const unsubscribe = events.subscribe((event) => {
    if (event.type === 'commandChanged' && event.command.status === 'sent') void track(look())
    if (event.type === 'stationChanged' && commands.isWaking(event.stationId)) {
      const noted = commands.noteHeard(event.stationId)
      void track(noted.catch((err: unknown) => log.error({ err }, 'noting a station as awake failed')))
    }
  })

  async function look(): Promise<void> {
    const mine = (newestLook += 1)
    let nextMs: number | undefined
    try {
      nextMs = await commands.expireDue()
    } catch (err) {
      log.error({ err }, 'giving commands up failed, trying again')
      nextMs = clock.nowMs() + RETRY_MS
    }
    // An older look may answer late, and knows less.
    if (isStopped || mine !== newestLook) return
    clearTimeout(timer)
    if (nextMs === undefined) return
    const waitMs = Math.min(LONGEST_WAIT_MS, Math.max(0, nextMs - clock.nowMs()))
    timer = setTimeout(() => void track(look()), waitMs)
  }

  return {
    async start(): Promise<void> {
      await commands.start()
      await track(look())
    },
    /** Resolves when nothing of it is under way any more. */
    async stop(): Promise<void> {
      isStopped = true
      unsubscribe()
      clearTimeout(timer)
      await Promise.all(underway)
    },
  }
}
