import { SiteSettings, WARNING_SECONDS, isTimeZone, type Actor, type SiteConfig } from '@escale/protocol'
import { Create, Default } from 'typebox/value'
import type { Database } from '../../db/database.ts'
import { faultsOfOpeningHours } from '../../domain/opening-hours.ts'
import { AppError } from '../../errors.ts'
import type { AppEvents } from '../../events.ts'
import { requireVersion, type SeenVersions } from '../../db/versions.ts'
import type { Journal } from '../logs/index.ts'
import type { SettingsRepository } from './repository.ts'

/** The settings in force. */
export interface Settings {
  current(): Readonly<SiteSettings>
}

export interface SettingsStore extends Settings {
  /** Reads the settings from the database. Before the first time, the defaults are in force. @returns whether one changed */
  load(): Promise<boolean>
  /** Grows with each replacement. */
  version(): Promise<number>
  /** Replaces all settings. @throws AppError naming the field that does not fit */
  replace(values: SiteSettings, actor: Actor, expectedVersion?: SeenVersions): Promise<void>
}

export function createSettingsStore(
  database: Database,
  repository: SettingsRepository,
  journal: Journal,
  events: AppEvents,
): SettingsStore {
  let current: Readonly<SiteSettings> = Create(SiteSettings)
  return {
    current: () => current,
    async load() {
      const before = current
      current = Default(SiteSettings, await repository.all()) as SiteSettings
      return namesOfChanged(before, current).length > 0
    },
    version: repository.version,
    async replace(values, actor, expectedVersion) {
      if (!isTimeZone(values.timeZone)) {
        throw new AppError('invalid-body', {
          errors: [
            {
              pointer: '/timeZone',
              message: { fr: 'Ce fuseau horaire est inconnu.', en: 'This time zone is unknown.' },
            },
          ],
        })
      }
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

/** What stations are told of the settings, on the `config` topic. */
export function siteConfigOf(values: Readonly<SiteSettings>): SiteConfig {
  return {
    heartbeatIntervalMs: values.heartbeatIntervalMs,
    warningsSeconds: [...WARNING_SECONDS],
    maxSuspendedMinutes: values.maxSuspendedMinutes,
    timeZone: values.timeZone,
    language: values.language,
    branding: { siteName: values.siteName },
    terms: values.terms,
  }
}

function namesOfChanged(before: object, after: object): string[] {
  const names = new Set([...Object.keys(before), ...Object.keys(after)])
  const valueOf = (record: object, name: string) => JSON.stringify((record as Record<string, unknown>)[name])
  return [...names].filter((name) => valueOf(before, name) !== valueOf(after, name))
}
