import { Nothing, closed } from '../schema.ts'
import { ReasonInput, Session } from '../sessions.ts'
import {
  FreeStationQuery,
  HeartbeatInput,
  Station,
  StationInput,
  StationPage,
  StationQuery,
  StationReplacement,
  StationStats,
} from '../stations.ts'
import { byName, versioned, del, get, post, put, type Endpoints } from './endpoint.ts'

const mark = {
  access: 'operator',
  ...versioned,
  errors: ['session-active'],
  params: byName,
  body: ReasonInput,
  answers: { 200: Station },
} as const

/** The public computers. */
export const stationEndpoints = {
  list: get('/api/postes/', 'Stations', { access: 'viewer', query: StationQuery, page: StationPage }),
  create: post('/api/postes/', 'Add a station', {
    access: 'admin',
    sendsVersion: true,
    errors: ['duplicate'],
    body: StationInput,
    answers: { 201: Station },
  }),
  listFree: get('/api/postes/disponibles/', 'Stations that are free', {
    access: 'viewer',
    query: FreeStationQuery,
    page: StationPage,
  }),
  stats: get('/api/postes/stats/', 'Counts', { access: 'viewer', answers: { 200: StationStats } }),
  read: get('/api/postes/{id}/', 'One station', {
    access: 'viewer',
    sendsVersion: true,
    params: byName,
    answers: { 200: Station },
  }),
  replace: put('/api/postes/{id}/', 'Replace a station', {
    access: 'admin',
    ...versioned,
    errors: ['duplicate'],
    params: byName,
    body: StationReplacement,
    answers: { 200: Station },
  }),
  remove: del('/api/postes/{id}/', 'Remove a station', {
    access: 'admin',
    takesVersion: true,
    params: byName,
    answers: { 204: Nothing },
  }),
  heartbeat: post('/api/postes/{id}/heartbeat/', 'Metrics of a station without MQTT', {
    access: 'operator',
    guests: ['stations'],
    params: byName,
    body: HeartbeatInput,
    // Even an invalid heartbeat shows that the station is connected.
    takesFaultyBody: true,
    answers: { 200: Station },
  }),
  revokeSecret: post(
    '/api/postes/{id}/revoquer/',
    'Take the station’s secret away; it must be accepted again',
    { access: 'admin', params: byName, body: closed({}), answers: { 200: Station } },
  ),
  markAvailable: post('/api/postes/{id}/marquer_disponible/', 'End maintenance', { ...mark }),
  markMaintenance: post('/api/postes/{id}/marquer_maintenance/', 'Take out of service', { ...mark }),
  markOffline: post('/api/postes/{id}/marquer_hors_ligne/', 'Count as offline until next heard', { ...mark }),
  readSession: get('/api/postes/{id}/session_active/', 'The session there', {
    access: 'viewer',
    sendsVersion: true,
    errors: ['no-active-session'],
    params: byName,
    answers: { 200: Session },
  }),
} as const satisfies Endpoints
