import type { ServerFrame } from '@escale/protocol'
import type { SessionRecord } from '../../db/rows.ts'
import type { LastingEffect } from '../../domain/session.ts'
import { toSessionTime } from '../../features/sessions/index.ts'

/** The frames for live screens after a change of a session: one for each effect. */
export function framesOf(session: SessionRecord, effects: LastingEffect[], nowMs: number): ServerFrame[] {
  const time = toSessionTime(session, nowMs)
  const frames = effects.map((effect): ServerFrame => {
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
  return frames.length > 0 ? frames : [{ type: 'time_update', ...time }]
}
