import { SECOND_MS } from '@escale/protocol'
import type { Logger } from 'pino'
import { createBatchedWrites } from '../../db/batched-writes.ts'
import type { Database } from '../../db/database.ts'
import type { DesiredDocuments } from '../../features/desired/index.ts'
import { systemActor, type Journal } from '../../features/logs/index.ts'
import type { SessionService } from '../../features/sessions/index.ts'
import type { Machines, RoomStore } from '../../features/room/index.ts'

/**
 * When a new start of the agent replaces an online connection, its session moves to the new start after this time. If
 * the earlier start still runs on a second machine, it connects again within this time, and a conflict is found.
 */
const BACK_MS = 3 * SECOND_MS

export interface AgentStartPorts {
  database: Database
  machines: Machines
  room: Pick<RoomStore, 'runningAt'>
  /** Whether the site has other servers, which may have started a session just now. */
  hasPeers: boolean
  sessions: Pick<SessionService, 'bind'>
  desired: Pick<DesiredDocuments, 'change'>
  journal: Journal
  log: Logger
}

export type AgentStarts = ReturnType<typeof createAgentStarts>

/** Handles the start of an agent: its session continues there, unless two machines claim to be the station. */
export function createAgentStarts(ports: AgentStartPorts) {
  const { database, machines, room, hasPeers, sessions, desired, journal, log } = ports
  const waiting = new Map<string, NodeJS.Timeout>()

  function recordConflict(
    stationId: string,
    action: 'station.conflict_found' | 'station.conflict_ended',
  ): Promise<void> {
    return database.write(async () => {
      if ((await desired.change(stationId, [action])) === undefined) return
      const level = action === 'station.conflict_found' ? 'error' : 'info'
      await journal.append({ action, level, actor: systemActor, stationId })
    })
  }

  /** Resolves after all current writes, which may have started a session for an earlier start of the agent. */
  const writes = createBatchedWrites<string>(database, () => Promise.resolve())

  async function hasSession(stationId: string): Promise<boolean> {
    if (!hasPeers) await writes.add(stationId)
    return hasPeers || room.runningAt(stationId) !== undefined
  }

  const logged = (work: Promise<void>) =>
    void work.catch((err: unknown) => log.error({ err }, 'handling the start of an agent failed'))

  return {
    start(): void {
      machines.start((stationId) => logged(recordConflict(stationId, 'station.conflict_ended')))
    },

    stop(): void {
      machines.stop()
      for (const timer of waiting.values()) clearTimeout(timer)
    },

    /** @param wasOnline whether this connection replaces another one of the station */
    async take(stationId: string, bootId: string, wasOnline: boolean): Promise<void> {
      const news = machines.noteAgentStart(stationId, bootId)
      if (news === 'conflict') {
        clearTimeout(waiting.get(stationId))
        await recordConflict(stationId, 'station.conflict_found')
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
