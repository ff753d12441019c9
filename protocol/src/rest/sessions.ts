import {
  AddTimeInput,
  CreatedSession,
  GiveCreditInput,
  ReasonInput,
  Session,
  SessionInput,
  SessionQuery,
  SessionReplacement,
  SessionStats,
  SessionTime,
  StartInput,
  ValidateCodeInput,
  ValidatedCode,
} from '../sessions.ts'
import { byId, noFields, operators, viewers } from './define.ts'
import type { Endpoints } from './endpoint.ts'

const grantErrors = [
  'station-maintenance',
  'anonymous-not-allowed',
  'consent-missing',
  'quota-reached',
  'session-active',
] as const

const sessions = { query: SessionQuery, item: Session } as const
const session = { params: byId, answer: Session } as const

export const sessionEndpoints = {
  list: viewers.list('/api/sessions/', 'Sessions', sessions),
  create: operators.create('/api/sessions/', 'Grant a session', {
    errors: grantErrors,
    body: SessionInput,
    answer: CreatedSession,
  }),
  listActive: viewers.list('/api/sessions/actives/', 'Sessions active or suspended', sessions),
  stats: viewers.get('/api/sessions/stats/', 'Counts', { answers: { 200: SessionStats } }),
  validateCode: operators.post('/api/sessions/validate_code/', 'What a typed code opens', {
    guests: ['stations'],
    errors: ['code-refused', 'code-throttled', 'wrong-station', 'station-conflict'],
    body: ValidateCodeInput,
    answers: { 200: ValidatedCode },
  }),
  read: viewers.read('/api/sessions/{id}/', 'One session', session),
  replace: operators.replace('/api/sessions/{id}/', 'Change a pending session', {
    ...session,
    errors: ['session-not-pending', ...grantErrors],
    body: SessionReplacement,
  }),
  cancel: operators.remove('/api/sessions/{id}/', 'Cancel a pending session', {
    errors: ['session-not-pending'],
    params: byId,
  }),
  start: operators.act('/api/sessions/{id}/start/', 'Start at a station', {
    ...session,
    guests: ['stations'],
    errors: [
      'session-not-pending',
      'session-ended',
      'session-active',
      'station-maintenance',
      'station-conflict',
      'station-required',
      'wrong-station',
      'code-not-validated',
      'consent-missing',
      'site-closed',
    ],
    body: StartInput,
  }),
  addTime: operators.act('/api/sessions/{id}/add_time/', 'Add or take away minutes', {
    ...session,
    errors: ['session-ended'],
    body: AddTimeInput,
  }),
  terminate: operators.act('/api/sessions/{id}/terminate/', 'End now', {
    ...session,
    errors: ['session-ended'],
    body: ReasonInput,
  }),
  giveCredit: operators.act('/api/sessions/{id}/give_credit/', 'Give back what a failure took', {
    ...session,
    errors: ['no-credit', 'no-session-for-credit', 'session-ended'],
    body: GiveCreditInput,
  }),
  suspend: operators.act('/api/sessions/{id}/suspend/', 'Stop the countdown', {
    ...session,
    errors: ['session-ended', 'session-not-active'],
    body: noFields,
  }),
  resume: operators.act('/api/sessions/{id}/resume/', 'Continue the countdown', {
    ...session,
    errors: ['session-ended', 'session-not-suspended'],
    body: noFields,
  }),
  timeRemaining: viewers.get('/api/sessions/{id}/time_remaining/', 'Time as of now', {
    guests: ['stations'],
    params: byId,
    answers: { 200: SessionTime },
  }),
} as const satisfies Endpoints
