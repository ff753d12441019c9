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
import { byId, versioned, type Endpoints } from './endpoint.ts'

/** A little more than a photo may have gets through, so that the refusal can say why. */
const PHOTO_BODY_BYTES = 6 * 1_024 * 1_024

export const userEndpoints = {
  list: {
    method: 'GET',
    path: '/api/utilisateurs/',
    summary: 'Users',
    access: 'viewer',
    query: UserQuery,
    page: UserPage,
  },
  create: {
    method: 'POST',
    path: '/api/utilisateurs/',
    summary: 'Register a user',
    access: 'operator',
    sendsVersion: true,
    body: UserInput,
    answers: { 201: User },
  },
  stats: {
    method: 'GET',
    path: '/api/utilisateurs/stats/',
    summary: 'Counts',
    access: 'viewer',
    answers: { 200: UserStats },
  },
  read: {
    method: 'GET',
    path: '/api/utilisateurs/{id}/',
    summary: 'One user',
    access: 'viewer',
    sendsVersion: true,
    params: byId,
    answers: { 200: User },
  },
  replace: {
    method: 'PUT',
    path: '/api/utilisateurs/{id}/',
    summary: 'Replace a user',
    access: 'operator',
    ...versioned,
    errors: ['use-revoke-consent'],
    params: byId,
    body: UserReplacement,
    answers: { 200: User },
  },
  remove: {
    method: 'DELETE',
    path: '/api/utilisateurs/{id}/',
    summary: 'Delete a user',
    access: 'operator',
    takesVersion: true,
    errors: ['session-active'],
    params: byId,
    answers: { 204: Nothing },
  },
  listSessions: {
    method: 'GET',
    path: '/api/utilisateurs/{id}/sessions/',
    summary: 'Sessions of a user',
    access: 'viewer',
    params: byId,
    query: SessionQuery,
    page: SessionPage,
  },
  canCreateSession: {
    method: 'GET',
    path: '/api/utilisateurs/{id}/can_create_session/',
    summary: 'Whether a session may be created',
    access: 'viewer',
    params: byId,
    answers: { 200: CanCreateSession },
  },
  revokeConsent: {
    method: 'POST',
    path: '/api/utilisateurs/{id}/revoke_consent/',
    summary: 'Withdraw consent',
    access: 'operator',
    ...versioned,
    params: byId,
    body: closed({}),
    answers: { 200: User },
  },
} as const satisfies Endpoints

export const photoEndpoints = {
  set: {
    method: 'PUT',
    path: '/api/utilisateurs/{id}/photo/',
    summary: 'Set the photo: the JPEG or PNG file as the body, 5 MB at most',
    access: 'operator',
    takesVersion: true,
    errors: ['photo-format', 'photo-too-large', 'photo-too-many-pixels', 'photo-unreadable'],
    params: byId,
    consumes: ['image/jpeg', 'image/png'],
    maxBytes: PHOTO_BODY_BYTES,
    // More would wait in memory for those before them.
    maxUnderWay: 16,
    answers: { 200: closed({}) },
  },
  read: {
    method: 'GET',
    path: '/api/utilisateurs/{id}/photo/',
    summary: 'The photo',
    access: 'viewer',
    sendsVersion: true,
    params: byId,
    files: { 'image/jpeg': file('image/jpeg') },
  },
  remove: {
    method: 'DELETE',
    path: '/api/utilisateurs/{id}/photo/',
    summary: 'Remove the photo',
    access: 'operator',
    takesVersion: true,
    params: byId,
    answers: { 204: Nothing },
  },
} as const satisfies Endpoints

export const privacyEndpoints = {
  export: {
    method: 'GET',
    path: '/api/utilisateurs/{id}/export/',
    summary: 'Everything held on a user, as an archive',
    access: 'operator',
    params: byId,
    files: { 'application/zip': file('application/zip') },
  },
  erase: {
    method: 'POST',
    path: '/api/utilisateurs/{id}/erase/',
    summary: 'Erase a user; the answer proves what is left',
    access: 'operator',
    takesVersion: true,
    errors: ['session-active'],
    params: byId,
    body: closed({}),
    answers: { 200: ErasureProof },
  },
} as const satisfies Endpoints
