import { file } from '../schema.ts'
import { Session, SessionQuery } from '../sessions.ts'
import {
  CanCreateSession,
  ErasureProof,
  User,
  UserInput,
  UserQuery,
  UserReplacement,
  UserStats,
} from '../users.ts'
import { byId, noFields, operators, viewers } from './define.ts'
import type { Endpoints } from './endpoint.ts'

/** A little more than the limit of a photo, so that the handler can give the reason of the refusal. */
const PHOTO_BODY_BYTES = 6 * 1_024 * 1_024

export const userEndpoints = {
  list: viewers.list('/api/utilisateurs/', 'Users', { query: UserQuery, item: User }),
  create: operators.create('/api/utilisateurs/', 'Register a user', { body: UserInput, answer: User }),
  stats: viewers.get('/api/utilisateurs/stats/', 'Counts', { answers: { 200: UserStats } }),
  read: viewers.read('/api/utilisateurs/{id}/', 'One user', { params: byId, answer: User }),
  replace: operators.replace('/api/utilisateurs/{id}/', 'Replace a user', {
    errors: ['use-revoke-consent'],
    params: byId,
    body: UserReplacement,
    answer: User,
  }),
  remove: operators.remove('/api/utilisateurs/{id}/', 'Delete a user', {
    errors: ['session-active'],
    params: byId,
  }),
  listSessions: viewers.list('/api/utilisateurs/{id}/sessions/', 'Sessions of a user', {
    params: byId,
    query: SessionQuery,
    item: Session,
  }),
  canCreateSession: viewers.get(
    '/api/utilisateurs/{id}/can_create_session/',
    'Whether a session may be created',
    { params: byId, answers: { 200: CanCreateSession } },
  ),
  revokeConsent: operators.act('/api/utilisateurs/{id}/revoke_consent/', 'Withdraw consent', {
    params: byId,
    body: noFields,
    answer: User,
  }),
} as const satisfies Endpoints

export const photoEndpoints = {
  set: operators.put(
    '/api/utilisateurs/{id}/photo/',
    'Set the photo: the JPEG or PNG file as the body, 5 MB at most',
    {
      takesVersion: true,
      errors: ['photo-format', 'photo-too-large', 'photo-too-many-pixels', 'photo-unreadable'],
      params: byId,
      consumes: ['image/jpeg', 'image/png'],
      maxBytes: PHOTO_BODY_BYTES,
      // More uploads would wait in memory.
      maxUnderWay: 16,
      answers: { 200: noFields },
    },
  ),
  read: viewers.get('/api/utilisateurs/{id}/photo/', 'The photo', {
    sendsVersion: true,
    params: byId,
    files: { 'image/jpeg': file('image/jpeg') },
  }),
  remove: operators.remove('/api/utilisateurs/{id}/photo/', 'Remove the photo', { params: byId }),
} as const satisfies Endpoints

export const privacyEndpoints = {
  export: operators.get('/api/utilisateurs/{id}/export/', 'Everything held on a user, as an archive', {
    params: byId,
    files: { 'application/zip': file('application/zip') },
  }),
  erase: operators.post('/api/utilisateurs/{id}/erase/', 'Erase a user; the answer proves what is left', {
    takesVersion: true,
    errors: ['session-active'],
    params: byId,
    body: noFields,
    answers: { 200: ErasureProof },
  }),
} as const satisfies Endpoints
