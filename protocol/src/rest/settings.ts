import { Nothing, closed, oneOf } from '../schema.ts'
import { JobStatus, SettingsAnswer, SettingsReplacement, jobNames } from '../settings.ts'
import { ThrottlePage, ThrottleQuery } from '../throttles.ts'
import { byId, versioned, del, get, post, put, type Endpoints } from './endpoint.ts'

/** Settings of the site, and the tasks of its calendar. */
export const settingsEndpoints = {
  read: get('/api/parametres/', 'Settings, and the calendar’s tasks', {
    access: 'viewer',
    sendsVersion: true,
    answers: { 200: SettingsAnswer },
  }),
  replace: put('/api/parametres/', 'Replace the settings', {
    access: 'admin',
    ...versioned,
    body: SettingsReplacement,
    // Large enough for opening hours with an exception for each day of a year, and long terms.
    maxBytes: 256 * 1_024,
    answers: { 200: SettingsAnswer },
  }),
  runJob: post('/api/parametres/taches/{name}/', 'Run a task of the calendar now', {
    access: 'admin',
    params: closed({ name: oneOf(jobNames) }),
    body: closed({}),
    answers: { 200: JobStatus },
  }),
} as const satisfies Endpoints

/** Blocks after too many wrong codes or sign-ins. */
export const blockEndpoints = {
  list: get('/api/parametres/blocages/', 'Blocks in force after too many wrong codes or sign-ins', {
    access: 'operator',
    query: ThrottleQuery,
    page: ThrottlePage,
  }),
  lift: del('/api/parametres/blocages/{id}/', 'Lift a block: an operator those of codes, an admin any', {
    access: 'operator',
    params: byId,
    answers: { 204: Nothing },
  }),
} as const satisfies Endpoints
