import { SECOND_MS } from '@escale/protocol'
import type { Logger } from 'pino'
import type { Database } from '../../db/database.ts'
import type { StationPresenceRow } from '../../db/rows.ts'
import type { AppEvents } from '../../events.ts'
import type { StationRepository } from './repository.ts'

/** Live figures are written together, at most this often. */
const FLUSH_MS = SECOND_MS

/** Brings what is known of stations' connections into the database; one that is gone there is forgotten here. */
export function createFigures(
  rows: Map<string, StationPresenceRow>,
  ports: { database: Database; repository: StationRepository; events: AppEvents; log: Logger },
) {
  const { database, repository, events, log } = ports
  const unsaved = new Set<string>()
  let timer: NodeJS.Timeout | undefined
  let isStopped = false

  function saveSoon(stationId: string): void {
    if (isStopped) return
    unsaved.add(stationId)
    timer ??= setTimeout(() => void flush(), FLUSH_MS)
  }

  async function flush(): Promise<void> {
    clearTimeout(timer)
    timer = undefined
    const saved = [...unsaved].flatMap((id) => rows.get(id) ?? [])
    unsaved.clear()
    if (saved.length === 0) return
    try {
      await database.write(async () => {
        // One that is gone by now must not keep the others from being saved.
        const known = await repository.knownIds(saved.map(({ stationId }) => stationId))
        for (const { stationId } of saved) if (!known.has(stationId)) rows.delete(stationId)
        await repository.saveFigures(saved.filter(({ stationId }) => known.has(stationId)))
        database.afterCommit(() => {
          for (const stationId of known) events.emit({ type: 'stationChanged', stationId, isUrgent: false })
        })
      })
    } catch (err) {
      log.error({ err }, 'saving station figures failed, trying again')
      for (const { stationId } of saved) if (rows.has(stationId)) saveSoon(stationId)
    }
  }

  return {
    saveSoon,
    /** Commits at once what changes the state that operators see. */
    async saveNow(row: StationPresenceRow): Promise<void> {
      const { stationId } = row
      await database.write(async () => {
        if (!(await repository.find(stationId))) return
        await repository.saveFigures([row])
        database.afterCommit(() => events.emit({ type: 'stationChanged', stationId, isUrgent: true }))
      })
    },
    forget: (stationId: string) => void unsaved.delete(stationId),
    /** Saves what is left, and nothing from then on. */
    async stop(): Promise<void> {
      isStopped = true
      await flush()
    },
  }
}
