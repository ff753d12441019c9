import { CLEANING_FAILED, CleanedDetails, FaultDetails, type Actor } from '@escale/protocol'
import { Check, Clean } from 'typebox/value'
import { AppError } from '../../errors.ts'
import type { BasePorts } from '../../features/base-ports.ts'
import type { StationService } from '../../features/stations/index.ts'

export interface SeatReportPorts extends Pick<BasePorts, 'journal'> {
  stations: Pick<StationService, 'mark'>
}

export type SeatReports = ReturnType<typeof createSeatReports>

/** What stations say about the forgetting of their visitors, and about their own faults. Call it inside a write. */
export function createSeatReports({ journal, stations }: SeatReportPorts) {
  /**
   * While a session runs at the station it cannot be in maintenance. The station reports the fault again when that
   * session has ended.
   */
  async function takeOutOfService(error: string, actor: Actor): Promise<void> {
    const reason = `Effacement après session non prouvé · Forgetting after a session not proven: ${error}`
    try {
      await stations.mark(actor.id, actor, 'maintenance', { reason })
    } catch (err) {
      if (!(err instanceof AppError && err.code === 'session-active')) throw err
    }
  }

  return {
    async takeFault(details: Record<string, unknown>, actor: Actor): Promise<void> {
      const entry = { action: 'station.fault_reported', level: 'error', actor, stationId: actor.id } as const
      await journal.append({ ...entry, texts: details })
      if (!Check(FaultDetails, details) || details.kind !== CLEANING_FAILED) return
      await takeOutOfService(details.error ?? '', actor)
    },

    /** Simple clients only say that they have cleaned. */
    async takeCleaned(details: Record<string, unknown>, actor: Actor): Promise<void> {
      if (!Check(CleanedDetails, details)) return
      const { removed } = Clean(CleanedDetails, structuredClone(details)) as CleanedDetails
      await journal.append({ action: 'station.cleaned', actor, stationId: actor.id, details: { removed } })
    },
  }
}
