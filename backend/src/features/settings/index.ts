import type { Bus } from '../../bus/port.ts'
import type { Store } from '../../db/database.ts'
import type { AppEvents } from '../../events.ts'
import type { Feature } from '../feature.ts'
import type { Journal } from '../logs/index.ts'
import { settingsEndpoints, type ShownCalendar } from './endpoints.ts'
import { createSettingsRepository } from './repository.ts'
import { createSettingsStore, siteConfigOf } from './store.ts'

export { closingThatEnds, siteOpeningAt } from './opening.ts'
export type { Settings, SettingsStore } from './store.ts'

export interface SettingsPorts {
  database: Store
  calendar: ShownCalendar
  journal: Journal
  events: AppEvents
  /** Where stations read what concerns them. */
  bus: Pick<Bus, 'publish'>
}

/** The settings of the site. */
export function createSettings(ports: SettingsPorts) {
  const { database, calendar, journal, events, bus } = ports
  const service = createSettingsStore(database, createSettingsRepository(database), journal, events)
  const publish = () => bus.publish('config', undefined, siteConfigOf(service.current()))
  events.subscribe(({ type }) => {
    if (type === 'settingsChanged') void publish()
  })
  return {
    service,
    endpoints: [settingsEndpoints(service, calendar)],
    async start() {
      await service.load()
      await publish()
    },
  } satisfies Feature
}
