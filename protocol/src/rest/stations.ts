import { ReasonInput, Session } from '../sessions.ts'
import {
  FreeStationQuery,
  HeartbeatInput,
  Station,
  StationInput,
  StationQuery,
  StationReplacement,
  StationStats,
} from '../stations.ts'
import { admins, byName, noFields, operators, viewers } from './define.ts'
import type { Endpoints } from './endpoint.ts'

const mark = { errors: ['session-active'], params: byName, body: ReasonInput, answer: Station } as const

/** The public computers. */
export const stationEndpoints = {
  list: viewers.list('/api/postes/', 'Stations', { query: StationQuery, item: Station }),
  create: admins.create('/api/postes/', 'Add a station', {
    errors: ['duplicate'],
    body: StationInput,
    answer: Station,
  }),
  listFree: viewers.list('/api/postes/disponibles/', 'Stations that are free', {
    query: FreeStationQuery,
    item: Station,
  }),
  stats: viewers.get('/api/postes/stats/', 'Counts', { answers: { 200: StationStats } }),
  read: viewers.read('/api/postes/{id}/', 'One station', { params: byName, answer: Station }),
  replace: admins.replace('/api/postes/{id}/', 'Replace a station', {
    errors: ['duplicate'],
    params: byName,
    body: StationReplacement,
    answer: Station,
  }),
  remove: admins.remove('/api/postes/{id}/', 'Remove a station', { params: byName }),
  heartbeat: operators.post('/api/postes/{id}/heartbeat/', 'Metrics of a station without MQTT', {
    guests: ['stations'],
    params: byName,
    body: HeartbeatInput,
    // Even an invalid heartbeat shows that the station is connected.
    takesFaultyBody: true,
    answers: { 200: Station },
  }),
  revokeSecret: admins.post(
    '/api/postes/{id}/revoquer/',
    'Take the station’s secret away; it must be accepted again',
    { params: byName, body: noFields, answers: { 200: Station } },
  ),
  markAvailable: operators.act('/api/postes/{id}/marquer_disponible/', 'End maintenance', mark),
  markMaintenance: operators.act('/api/postes/{id}/marquer_maintenance/', 'Take out of service', mark),
  markOffline: operators.act(
    '/api/postes/{id}/marquer_hors_ligne/',
    'Count as offline until next heard',
    mark,
  ),
  readSession: viewers.read('/api/postes/{id}/session_active/', 'The session there', {
    errors: ['no-active-session'],
    params: byName,
    answer: Session,
  }),
} as const satisfies Endpoints
