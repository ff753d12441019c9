import {
  DEFAULT_HEARTBEAT_INTERVAL_MS,
  DEFAULT_MAX_SUSPENDED_MINUTES,
  WARNING_SECONDS,
  type SiteConfig,
} from '@escale/protocol'

/** What a site may choose; durations carry their unit. */
export interface SiteSettingValues {
  siteName: string
  /** IANA name; days begin and end in it. */
  timeZone: string
  language: 'fr' | 'en'
  /** What a visitor agrees to, and its version. */
  terms: string
  termsVersion: string
  sessionsPerDay: number
  isConsentRequired: boolean
  areAnonymousPassesAllowed: boolean
  codeLifetimeMinutes: number
  maxSuspendedMinutes: number
  heartbeatIntervalMs: number
}

const defaults: SiteSettingValues = {
  siteName: 'Escale',
  timeZone: 'Europe/Paris',
  language: 'fr',
  terms: '',
  termsVersion: '1',
  sessionsPerDay: 3,
  isConsentRequired: true,
  areAnonymousPassesAllowed: true,
  codeLifetimeMinutes: 24 * 60,
  maxSuspendedMinutes: DEFAULT_MAX_SUSPENDED_MINUTES,
  heartbeatIntervalMs: DEFAULT_HEARTBEAT_INTERVAL_MS,
}

export interface SiteSettings {
  current(): Readonly<SiteSettingValues>
}

/** The site's settings in force. */
export function createSiteSettings(): SiteSettings {
  return { current: () => defaults }
}

/** What stations are told of the settings, on the `config` topic. */
export function siteConfigOf(values: Readonly<SiteSettingValues>): SiteConfig {
  return {
    heartbeatIntervalMs: values.heartbeatIntervalMs,
    warningsSeconds: [...WARNING_SECONDS],
    maxSuspendedMinutes: values.maxSuspendedMinutes,
    language: values.language,
    branding: { siteName: values.siteName },
    terms: values.terms,
  }
}
