import type { Log, LogAction, StaffCall } from '@escale/protocol'
import type { CommandRecord, SessionRecord } from './db/rows.ts'
import type { LastingEffect } from './domain/session.ts'

/** What has been committed, told to whoever must pass it on: live screens, the bus, the deadlines. */
export type AppEvent =
  /** Without effects: created, or changed while pending. */
  | { type: 'sessionChanged'; session: SessionRecord; effects: LastingEffect[] }
  | { type: 'warned'; session: SessionRecord; remainingSeconds: number }
  /** A station of the room looks different; once for each change, and urgent unless its metrics alone moved. */
  | { type: 'stationChanged'; stationId: string; isUrgent: boolean }
  /** What stations told in the last second can be read from the database. */
  | { type: 'presencesSaved'; stationIds: readonly string[] }
  | { type: 'stationRemoved'; stationId: string }
  | {
      type: 'desiredChanged'
      stationId: string
      version: number
      actions: readonly LogAction[]
      askedAtMs: number
    }
  /** A station told which document it has applied. */
  | { type: 'desiredReported'; stationId: string; version: number; atMs: number }
  | { type: 'commandChanged'; command: CommandRecord }
  | { type: 'callChanged'; call: StaffCall }
  | { type: 'settingsChanged' }
  | { type: 'logAdded'; log: Log }

/** Which server committed it: whoever writes or publishes because of an event does so where it was committed. */
export type EventOrigin = 'here' | 'peer'

export interface AppEvents {
  emit(event: AppEvent, origin?: EventOrigin): void
  /** Returns what ends the subscription. */
  subscribe(listener: (event: AppEvent, origin: EventOrigin) => void): () => void
}

/** Delivers each event to every listener at once, in order. A listener must not throw. */
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
