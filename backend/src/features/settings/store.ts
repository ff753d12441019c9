import { SiteSettings, WARNING_SECONDS, isTimeZone, type Actor, type SiteConfig } from '@escale/protocol'
import { Create, Default } from 'typebox/value'
import type { Database } from '../../db/database.ts'
import { faultsOfOpeningHours } from '../../domain/opening-hours.ts'
import { AppError, invalidField } from '../../errors.ts'
import type { AppEvents } from '../../events.ts'
import { requireVersion, type SeenVersions } from '../../db/versions.ts'
import type { Journal } from '../logs/index.ts'
import type { SettingsRepository } from './repository.ts'

/** The settings in force. */
export type Settings = Pick<SettingsStore, 'current'>
export type SettingsStore = ReturnType<typeof createSettingsStore>

export function createSettingsStore(
  database: Database,
  repository: SettingsRepository,
  journal: Journal,
  events: AppEvents,
) {
  let current: Readonly<SiteSettings> = Create(SiteSettings)
  return {
    current: () => current,

    /** Reads the settings from the database. Before the first time, the defaults are in force. @returns whether one changed */
    async load(): Promise<boolean> {
      const before = current
      current = Default(SiteSettings, await repository.all()) as SiteSettings
      return namesOfChanged(before, current).length > 0
    },

    /** Grows with each replacement. */
    version: repository.version,

    /** Replaces all settings. @throws AppError naming the field that does not fit */
    async replace(values: SiteSettings, actor: Actor, expectedVersion?: SeenVersions): Promise<void> {
      if (!isTimeZone(values.timeZone)) throw invalidField('/timeZone', unknownTimeZone)
      const faults = values.openingHours ? faultsOfOpeningHours(values.openingHours) : []
      if (faults.length > 0) {
        const errors = faults.map(({ pointer, message }) => ({ pointer: `/openingHours${pointer}`, message }))
        throw new AppError('invalid-body', { errors })
      }
      const changed = namesOfChanged(current, values)
      await database.write(async () => {
        const version = await repository.version()
        requireVersion({ version }, expectedVersion)
        await repository.replace(values, version + 1)
        await journal.append({ action: 'settings.updated', actor, details: { changed } })
        database.afterCommit(() => {
          current = values
          events.emit({ type: 'settingsChanged' })
        })
      })
    },
  }
}

const unknownTimeZone = { fr: 'Ce fuseau horaire est inconnu.', en: 'This time zone is unknown.' }

/** The settings that stations get, on the `config` topic. */
export function siteConfigOf(values: Readonly<SiteSettings>): SiteConfig {
  return {
    heartbeatIntervalMs: values.heartbeatIntervalMs,
    warningsSeconds: [...WARNING_SECONDS],
    maxSuspendedMinutes: values.maxSuspendedMinutes,
    timeZone: values.timeZone,
    language: values.language,
    branding: { siteName: values.siteName },
    terms: values.terms,
    ...(values.areWarningsHeard === undefined ? {} : { areWarningsHeard: values.areWarningsHeard }),
  }
}

function namesOfChanged(before: object, after: object): string[] {
  const names = new Set([...Object.keys(before), ...Object.keys(after)])
  const valueOf = (record: object, name: string) => JSON.stringify((record as Record<string, unknown>)[name])
  return [...names].filter((name) => valueOf(before, name) !== valueOf(after, name))
}
