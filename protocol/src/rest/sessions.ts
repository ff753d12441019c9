import {
  AddTimeInput,
  CreatedSession,
  GiveCreditInput,
  ReasonInput,
  Session,
  SessionInput,
  SessionPage,
  SessionQuery,
  SessionReplacement,
  SessionStats,
  SessionTime,
  StartInput,
  ValidateCodeInput,
  ValidatedCode,
} from '../sessions.ts'
import { Nothing, closed } from '../schema.ts'
import { byId, versioned, del, get, post, put, type Endpoints } from './endpoint.ts'

const grantErrors = [
  'station-maintenance',
  'anonymous-not-allowed',
  'consent-missing',
  'quota-reached',
  'session-active',
] as const

/** An action of an operator on one session. It answers the session after the action. */
const action = {
  access: 'operator',
  ...versioned,
  params: byId,
  answers: { 200: Session },
} as const

export const sessionEndpoints = {
  list: get('/api/sessions/', 'Sessions', { access: 'viewer', query: SessionQuery, page: SessionPage }),
  create: post('/api/sessions/', 'Grant a session', {
    access: 'operator',
    sendsVersion: true,
    errors: grantErrors,
    body: SessionInput,
    answers: { 201: CreatedSession },
  }),
  listActive: get('/api/sessions/actives/', 'Sessions active or suspended', {
    access: 'viewer',
    query: SessionQuery,
    page: SessionPage,
  }),
  stats: get('/api/sessions/stats/', 'Counts', { access: 'viewer', answers: { 200: SessionStats } }),
  validateCode: post('/api/sessions/validate_code/', 'What a typed code opens', {
    access: 'operator',
    guests: ['stations'],
    errors: ['code-refused', 'code-throttled', 'wrong-station', 'station-conflict'],
    body: ValidateCodeInput,
    answers: { 200: ValidatedCode },
  }),
  read: get('/api/sessions/{id}/', 'One session', {
    access: 'viewer',
    sendsVersion: true,
    params: byId,
    answers: { 200: Session },
  }),
  replace: put('/api/sessions/{id}/', 'Change a pending session', {
    access: 'operator',
    ...versioned,
    errors: ['session-not-pending', ...grantErrors],
    params: byId,
    body: SessionReplacement,
    answers: { 200: Session },
  }),
  cancel: del('/api/sessions/{id}/', 'Cancel a pending session', {
    access: 'operator',
    takesVersion: true,
    errors: ['session-not-pending'],
    params: byId,
    answers: { 204: Nothing },
  }),
  start: post('/api/sessions/{id}/start/', 'Start at a station', {
    ...action,
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
  addTime: post('/api/sessions/{id}/add_time/', 'Add or take away minutes', {
    ...action,
    errors: ['session-ended'],
    body: AddTimeInput,
  }),
  terminate: post('/api/sessions/{id}/terminate/', 'End now', {
    ...action,
    errors: ['session-ended'],
    body: ReasonInput,
  }),
  giveCredit: post('/api/sessions/{id}/give_credit/', 'Give back what a failure took', {
    ...action,
    errors: ['no-credit', 'no-session-for-credit', 'session-ended'],
    body: GiveCreditInput,
  }),
  suspend: post('/api/sessions/{id}/suspend/', 'Stop the countdown', {
    ...action,
    errors: ['session-ended', 'session-not-active'],
    body: closed({}),
  }),
  resume: post('/api/sessions/{id}/resume/', 'Continue the countdown', {
    ...action,
    errors: ['session-ended', 'session-not-suspended'],
    body: closed({}),
  }),
  timeRemaining: get('/api/sessions/{id}/time_remaining/', 'Time as of now', {
    access: 'viewer',
    guests: ['stations'],
    params: byId,
    answers: { 200: SessionTime },
  }),
} as const satisfies Endpoints
