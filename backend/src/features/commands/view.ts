import type { StationCommand } from '@escale/protocol'
import { answerOf } from '../../db/nulls.ts'
import type { CommandRecord } from '../../db/rows.ts'

/** A command as REST and the live screens show it. */
export const toStationCommand = ({ bootId: _bootId, ...command }: CommandRecord): StationCommand =>
  answerOf(command)
