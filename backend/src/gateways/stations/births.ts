import { SECOND_MS } from '@escale/protocol'
import type { Logger } from 'pino'
import { createBatchedWrites } from '../../db/batched-writes.ts'
import type { Database } from '../../db/database.ts'
import type { DesiredDocuments } from '../../features/desired/index.ts'
import { systemActor, type Journal } from '../../features/logs/index.ts'
import type { SessionService } from '../../features/sessions/index.ts'
import type { Machines, RoomStore } from '../../features/room/index.ts'

/**
 * How long after a start of the agent took over the connection of an earlier one the session moves to it. An earlier
 * start that is still running, on a second machine, connects again within this time.
 */
const BACK_MS = 3 * SECOND_MS

export interface BirthPorts {
  database: Database
  machines: Machines
  room: Pick<RoomStore, 'runningAt'>
  /** Whether other servers may have begun a session just now. */
  hasPeers: boolean
  sessions: Pick<SessionService, 'bind'>
  desired: Pick<DesiredDocuments, 'change'>
  journal: Journal
  log: Logger
}

export type Births = ReturnType<typeof createBirths>

/** What follows from a start of an agent: its session goes on there, unless two machines are at odds over the station. */
export function createBirths(ports: BirthPorts) {
  const { database, machines, room, hasPeers, sessions, desired, journal, log } = ports
  const waiting = new Map<string, NodeJS.Timeout>()

  function tell(
    stationId: string,
    action: 'station.conflict_found' | 'station.conflict_ended',
  ): Promise<void> {
    return database.write(async () => {
      if ((await desired.change(stationId, [action])) === undefined) return
      const level = action === 'station.conflict_found' ? 'error' : 'info'
      await journal.append({ action, level, actor: systemActor, stationId })
    })
  }

  /** Resolves once all writes are done that may have begun a session for an earlier start of the agent. */
  const untilCommitted = createBatchedWrites<string>(database, () => Promise.resolve())

  async function hasSession(stationId: string): Promise<boolean> {
    if (!hasPeers) await untilCommitted(stationId)
    return hasPeers || room.runningAt(stationId) !== undefined
  }

  const logged = (work: Promise<void>) =>
    void work.catch((err: unknown) =>
      log.error({ err }, 'what follows from a start of an agent could not be stored'),
    )

  return {
    start(): void {
      machines.start((stationId) => logged(tell(stationId, 'station.conflict_ended')))
    },

    stop(): void {
      machines.stop()
      for (const timer of waiting.values()) clearTimeout(timer)
    },

    /** @param wasOnline whether another connection of the station ends by this one */
    async take(stationId: string, bootId: string, wasOnline: boolean): Promise<void> {
      const news = machines.takeBirth(stationId, bootId)
      if (news === 'conflict') {
        clearTimeout(waiting.get(stationId))
        await tell(stationId, 'station.conflict_found')
        return
      }
      if (news === 'nothing' || machines.isInConflict(stationId)) return
      if (!(await hasSession(stationId))) return
      if (!(await sessions.bind(stationId, bootId, { isUnboundOnly: wasOnline })) || !wasOnline) return
      clearTimeout(waiting.get(stationId))
      const timer = setTimeout(() => {
        waiting.delete(stationId)
        if (machines.bootIdOf(stationId) !== bootId || machines.isInConflict(stationId)) return
        logged(sessions.bind(stationId, bootId, { isUnboundOnly: false }).then(() => undefined))
      }, BACK_MS)
      waiting.set(stationId, timer)
    },
  }
}
