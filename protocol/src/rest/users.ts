import { Nothing, closed, file } from '../schema.ts'
import { SessionPage, SessionQuery } from '../sessions.ts'
import {
  CanCreateSession,
  ErasureProof,
  User,
  UserInput,
  UserPage,
  UserQuery,
  UserReplacement,
  UserStats,
} from '../users.ts'
import { byId, versioned, del, get, post, put, type Endpoints } from './endpoint.ts'

/** A little more than the limit of a photo, so that the handler can give the reason of the refusal. */
const PHOTO_BODY_BYTES = 6 * 1_024 * 1_024

export const userEndpoints = {
  list: get('/api/utilisateurs/', 'Users', { access: 'viewer', query: UserQuery, page: UserPage }),
  create: post('/api/utilisateurs/', 'Register a user', {
    access: 'operator',
    sendsVersion: true,
    body: UserInput,
    answers: { 201: User },
  }),
  stats: get('/api/utilisateurs/stats/', 'Counts', { access: 'viewer', answers: { 200: UserStats } }),
  read: get('/api/utilisateurs/{id}/', 'One user', {
    access: 'viewer',
    sendsVersion: true,
    params: byId,
    answers: { 200: User },
  }),
  replace: put('/api/utilisateurs/{id}/', 'Replace a user', {
    access: 'operator',
    ...versioned,
    errors: ['use-revoke-consent'],
    params: byId,
    body: UserReplacement,
    answers: { 200: User },
  }),
  remove: del('/api/utilisateurs/{id}/', 'Delete a user', {
    access: 'operator',
    takesVersion: true,
    errors: ['session-active'],
    params: byId,
    answers: { 204: Nothing },
  }),
  listSessions: get('/api/utilisateurs/{id}/sessions/', 'Sessions of a user', {
    access: 'viewer',
    params: byId,
    query: SessionQuery,
    page: SessionPage,
  }),
  canCreateSession: get('/api/utilisateurs/{id}/can_create_session/', 'Whether a session may be created', {
    access: 'viewer',
    params: byId,
    answers: { 200: CanCreateSession },
  }),
  revokeConsent: post('/api/utilisateurs/{id}/revoke_consent/', 'Withdraw consent', {
    access: 'operator',
    ...versioned,
    params: byId,
    body: closed({}),
    answers: { 200: User },
  }),
} as const satisfies Endpoints

export const photoEndpoints = {
  set: put('/api/utilisateurs/{id}/photo/', 'Set the photo: the JPEG or PNG file as the body, 5 MB at most', {
    access: 'operator',
    takesVersion: true,
    errors: ['photo-format', 'photo-too-large', 'photo-too-many-pixels', 'photo-unreadable'],
    params: byId,
    consumes: ['image/jpeg', 'image/png'],
    maxBytes: PHOTO_BODY_BYTES,
    // More uploads would wait in memory.
    maxUnderWay: 16,
    answers: { 200: closed({}) },
  }),
  read: get('/api/utilisateurs/{id}/photo/', 'The photo', {
    access: 'viewer',
    sendsVersion: true,
    params: byId,
    files: { 'image/jpeg': file('image/jpeg') },
  }),
  remove: del('/api/utilisateurs/{id}/photo/', 'Remove the photo', {
    access: 'operator',
    takesVersion: true,
    params: byId,
    answers: { 204: Nothing },
  }),
} as const satisfies Endpoints

export const privacyEndpoints = {
  export: get('/api/utilisateurs/{id}/export/', 'Everything held on a user, as an archive', {
    access: 'operator',
    params: byId,
    files: { 'application/zip': file('application/zip') },
  }),
  erase: post('/api/utilisateurs/{id}/erase/', 'Erase a user; the answer proves what is left', {
    access: 'operator',
    takesVersion: true,
    errors: ['session-active'],
    params: byId,
    body: closed({}),
    answers: { 200: ErasureProof },
  }),
} as const satisfies Endpoints
