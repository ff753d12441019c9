import type { Log, LogAction, StaffCall } from '@escale/protocol'
import type { CommandRecord, SessionRecord } from './db/rows.ts'
import type { LastingEffect } from './domain/session.ts'

/** What has been committed. Live screens, the bus and the deadlines listen to these events. */
export type AppEvent =
  /** Without effects, the session was created or changed while pending. */
  | { type: 'sessionChanged'; session: SessionRecord; effects: LastingEffect[] }
  | { type: 'warned'; session: SessionRecord; remainingSeconds: number }
  /** A station of the room has changed. Urgent if more than its metrics changed. */
  | { type: 'stationChanged'; stationId: string; isUrgent: boolean }
  /** The presences of these stations are saved in the database. */
  | { type: 'presencesSaved'; stationIds: readonly string[] }
  | { type: 'stationRemoved'; stationId: string }
  | {
      type: 'desiredChanged'
      stationId: string
      version: number
      actions: readonly LogAction[]
      askedAtMs: number
    }
  /** A station reported which document it has applied. */
  | { type: 'desiredReported'; stationId: string; version: number; atMs: number }
  | { type: 'commandChanged'; command: CommandRecord }
  | { type: 'callChanged'; call: StaffCall }
  | { type: 'settingsChanged' }
  | { type: 'logAdded'; log: Log }

/** Which server committed it. Only the server that committed an event writes or publishes because of it. */
export type EventOrigin = 'here' | 'peer'

export interface AppEvents {
  emit(event: AppEvent, origin?: EventOrigin): void
  /** @returns a function that ends the subscription */
  subscribe(listener: (event: AppEvent, origin: EventOrigin) => void): () => void
}

/** Calls every listener synchronously, in the order of subscription. A listener must not throw. */
export function createAppEvents(): AppEvents {
  const listeners = new Set<(event: AppEvent, origin: EventOrigin) => void>()
  return {
    emit(event, origin = 'here') {
      for (const listener of listeners) listener(event, origin)
    },
    subscribe(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
  }
}
