export { closingThatEnds, siteOpeningAt } from './opening.ts'
export { createSettingsRepository } from './repository.ts'
export { settingsRoutes } from './routes.ts'
export { createSettings, siteConfigOf, type Settings, type SettingsStore } from './store.ts'
