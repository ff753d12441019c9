import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import {
  JobStatus,
  SettingsAnswer,
  SettingsReplacement,
  SiteSettings,
  closed,
  jobNames,
  oneOf,
  type Actor,
  type JobName,
} from '@escale/protocol'
import { Type } from 'typebox'
import { Clean } from 'typebox/value'
import type { FastifyReply } from 'fastify'
import { expectedVersionOf, sendVersioned, versioned } from '../../http/etag.ts'
import { actorOf } from '../../http/guard.ts'
import type { SettingsStore } from './store.ts'

const admin = { access: 'admin' } as const
const tags = ['parametres']
/** Opening hours with an exception for each day of a year, and long terms. */
const SETTINGS_BODY_BYTES = 256 * 1_024

/** What the settings show of the calendar. */
export interface ShownCalendar {
  statuses(): Promise<JobStatus[]>
  run(name: JobName, actor: Actor): Promise<unknown>
}

export function settingsRoutes(settings: SettingsStore, calendar: ShownCalendar): FastifyPluginAsyncTypebox {
  const answer = async (reply: FastifyReply) => {
    const version = await settings.version()
    return sendVersioned(reply, version, { ...settings.current(), jobs: await calendar.statuses() })
  }

  return async (app) => {
    app.get(
      '/',
      {
        config: { access: 'viewer' },
        schema: {
          tags,
          summary: 'Settings, and the calendar’s tasks',
          sendsVersion: true,
          response: { 200: SettingsAnswer },
        },
      },
      (_request, reply) => answer(reply),
    )
    app.put(
      '/',
      {
        config: admin,
        bodyLimit: SETTINGS_BODY_BYTES,
        schema: {
          tags,
          summary: 'Replace the settings',
          ...versioned,
          body: SettingsReplacement,
          response: { 200: SettingsAnswer },
        },
      },
      async (request, reply) => {
        const values = Clean(SiteSettings, { ...request.body }) as SiteSettings
        await settings.replace(values, actorOf(request), expectedVersionOf(request))
        return answer(reply)
      },
    )
    app.post(
      '/taches/:name',
      {
        config: admin,
        schema: {
          tags,
          summary: 'Run a task of the calendar now',
          params: Type.Object({ name: oneOf(jobNames) }),
          body: closed({}),
          response: { 200: JobStatus },
        },
      },
      async (request) => {
        const { name } = request.params
        await calendar.run(name, actorOf(request))
        const statuses = await calendar.statuses()
        return statuses.find((status) => status.name === name)
      },
    )
  }
}
