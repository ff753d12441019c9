import type { AppEvents } from '../events.ts'
import type { Bus } from './port.ts'

/** Publishes each record of the journal for automations, without the actor and the address. */
export function publishDomainEvents(events: AppEvents, bus: Bus): void {
  events.subscribe((event, origin) => {
    if (event.type !== 'logAdded' || origin === 'peer') return
    const { action: kind, at, stationId, sessionId, userId, details } = event.log
    void bus.publish('domainEvent', kind, { kind, at, stationId, sessionId, userId, details })
  })
}
