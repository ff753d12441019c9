import type { ServerFrame } from '@escale/protocol'
import type { SessionRecord } from '../../db/rows.ts'
import type { LastingEffect } from '../../domain/session.ts'
import { toSessionTime } from '../../features/sessions/index.ts'

/** What live screens are told of a change to a session: one frame for each thing that happened. */
export function framesOf(session: SessionRecord, effects: LastingEffect[], nowMs: number): ServerFrame[] {
  const time = toSessionTime(session, nowMs)
  const told = effects.map((effect): ServerFrame => {
    switch (effect.type) {
      case 'started':
        return { type: 'session_started', ...time }
      case 'timeAdded':
        return { type: 'time_added', ...time, addedSeconds: effect.addedSeconds }
      case 'ended':
        return { type: 'session_terminated', ...time, endReason: effect.reason }
      default:
        return { type: 'time_update', ...time }
    }
  })
  return told.length > 0 ? told : [{ type: 'time_update', ...time }]
}
