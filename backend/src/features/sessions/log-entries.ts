import { instantOf, type EndReason } from '@escale/protocol'
import type { LastingEffect } from '../../domain/session.ts'
import { systemActor, type LogEntry } from '../logs/index.ts'

const endedByTime: readonly EndReason[] = ['expired', 'code_expired', 'suspended_too_long']

/** The journal entry of an effect. If only time caused it, the actor is the system. */
export function logEntryOf(effect: LastingEffect): Omit<LogEntry, 'actor'> & Partial<LogEntry> {
  switch (effect.type) {
    case 'started':
      return { action: 'session.started' }
    case 'timeAdded':
      return {
        action: 'session.time_added',
        details: { addedSeconds: effect.addedSeconds, reason: effect.reason },
      }
    case 'suspended':
      return { action: 'session.suspended' }
    case 'resumed':
      return { action: 'session.resumed' }
    case 'endRefined':
      return {
        action: 'session.updated',
        details: { endReason: effect.reason, endedAt: instantOf(effect.atMs) },
      }
    case 'overrunNoted':
      return { action: 'session.updated', details: { overrunMs: effect.beyondMs } }
    case 'ended': {
      const details = { endReason: effect.reason, endedAt: instantOf(effect.atMs) }
      return endedByTime.includes(effect.reason)
        ? { action: 'session.expired', details, actor: systemActor }
        : { action: 'session.terminated', details }
    }
  }
}
