import type { AppEvents } from '../events.ts'
import type { Bus } from './port.ts'

/** Tells automations what happened: the journal's record without who did it and from where. */
export function publishDomainEvents(events: AppEvents, bus: Bus): void {
  events.subscribe((event, origin) => {
    if (event.type !== 'logAdded' || origin === 'peer') return
    const { action: kind, at, stationId, sessionId, userId, details } = event.log
    void bus.publish('domainEvent', kind, { kind, at, stationId, sessionId, userId, details })
  })
}
