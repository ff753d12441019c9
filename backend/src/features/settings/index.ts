import type { Store } from '../../db/database.ts'
import type { AppEvents } from '../../events.ts'
import type { Feature } from '../feature.ts'
import type { Journal } from '../logs/index.ts'
import { settingsEndpoints, type ShownCalendar } from './endpoints.ts'
import { createSettingsRepository } from './repository.ts'
import { createSettingsStore } from './store.ts'

export { closingThatEnds, siteOpeningAt } from './opening.ts'
export { siteConfigOf, type Settings, type SettingsStore } from './store.ts'

export interface SettingsPorts {
  database: Store
  calendar: ShownCalendar
  journal: Journal
  events: AppEvents
}

/** The settings of the site. */
export function createSettings(ports: SettingsPorts) {
  const { database, calendar, journal, events } = ports
  const service = createSettingsStore(database, createSettingsRepository(database), journal, events)
  return { service, endpoints: [settingsEndpoints(service, calendar)] } satisfies Feature
}
