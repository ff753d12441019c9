import { SiteSettings, restApi, type Actor, type JobName, type JobStatus } from '@escale/protocol'
import { Clean } from 'typebox/value'
import { AppError } from '../../errors.ts'
import { serve } from '../../http/endpoints.ts'
import type { SettingsStore } from './store.ts'

/** What the settings show of the calendar. */
export interface ShownCalendar {
  statuses(): Promise<JobStatus[]>
  run(name: JobName, actor: Actor): Promise<unknown>
}

export function settingsEndpoints(settings: SettingsStore, calendar: ShownCalendar) {
  const answer = async () => ({
    version: await settings.version(),
    body: { ...settings.current(), jobs: await calendar.statuses() },
  })

  return serve(restApi.settings, {
    read: answer,
    replace: async ({ body, actor, expectedVersion }) => {
      await settings.replace(Clean(SiteSettings, { ...body }) as SiteSettings, actor, expectedVersion)
      return answer()
    },
    runJob: async ({ params, actor }) => {
      await calendar.run(params.name, actor)
      const status = (await calendar.statuses()).find(({ name }) => name === params.name)
      if (!status) throw new AppError('not-found')
      return status
    },
  })
}
