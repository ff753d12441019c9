import { instantOf, type StationCommand } from '@escale/protocol'
import type { CommandRecord } from '../../db/rows.ts'

const optionalInstant = (unixMs: number | undefined) => (unixMs === undefined ? undefined : instantOf(unixMs))

/** A command as REST and the live screens show it. */
export function toStationCommand(command: CommandRecord): StationCommand {
  const { id, stationId, batchId, op, params, status, createdBy, error } = command
  return {
    id,
    stationId,
    batchId,
    op,
    params,
    status,
    createdBy,
    sentAt: instantOf(command.sentAtMs),
    expiresAt: instantOf(command.expiresAtMs),
    deliveredAt: optionalInstant(command.deliveredAtMs),
    appliedAt: optionalInstant(command.appliedAtMs),
    failedAt: optionalInstant(command.failedAtMs),
    expiredAt: optionalInstant(command.expiredAtMs),
    error,
  }
}
