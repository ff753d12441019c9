import { Nothing, closed, oneOf } from '../schema.ts'
import { JobStatus, SettingsAnswer, SettingsReplacement, jobNames } from '../settings.ts'
import { Throttle, ThrottleQuery } from '../throttles.ts'
import { admins, byId, noFields, operators, viewers } from './define.ts'
import type { Endpoints } from './endpoint.ts'

/** Settings of the site, and the tasks of its calendar. */
export const settingsEndpoints = {
  read: viewers.read('/api/parametres/', 'Settings, and the calendar’s tasks', { answer: SettingsAnswer }),
  replace: admins.replace('/api/parametres/', 'Replace the settings', {
    body: SettingsReplacement,
    // Large enough for opening hours with an exception for each day of a year, and long terms.
    maxBytes: 256 * 1_024,
    answer: SettingsAnswer,
  }),
  runJob: admins.post('/api/parametres/taches/{name}/', 'Run a task of the calendar now', {
    params: closed({ name: oneOf(jobNames) }),
    body: noFields,
    answers: { 200: JobStatus },
  }),
} as const satisfies Endpoints

/** Blocks after too many wrong codes or sign-ins. */
export const blockEndpoints = {
  list: operators.list(
    '/api/parametres/blocages/',
    'Blocks in force after too many wrong codes or sign-ins',
    {
      query: ThrottleQuery,
      item: Throttle,
    },
  ),
  lift: operators.del(
    '/api/parametres/blocages/{id}/',
    'Lift a block: an operator those of codes, an admin any',
    { params: byId, answers: { 204: Nothing } },
  ),
} as const satisfies Endpoints
