import {
  AcceptPairingInput,
  BootToken,
  EnrolInput,
  Enrolled,
  EnrolmentKey,
  PairingPending,
  PairingRequest,
  PairingRequestPage,
  PairingRequestQuery,
} from '../enrolment.ts'
import { closed } from '../schema.ts'
import { byId, byName, get, post, type Endpoints } from './endpoint.ts'

/** Enrolment of stations. */
export const enrolmentEndpoints = {
  enrol: post('/api/postes/enrol/', 'A station asks for its identity', {
    access: 'public',
    guests: ['stations'],
    errors: ['enrolment-refused', 'enrolment-throttled', 'pairing-full'],
    body: EnrolInput,
    answers: { 200: Enrolled, 202: PairingPending },
  }),
  issueBootToken: post(
    '/api/postes/{id}/boot_token/',
    'What the boot script of a diskless station carries, once',
    {
      access: 'admin',
      guests: ['netboot'],
      errors: ['station-online', 'station-revoked', 'mac-address-missing'],
      params: byName,
      body: closed({}),
      answers: { 201: BootToken },
    },
  ),
  list: get('/api/postes/demandes/', 'Stations that wait to be accepted', {
    access: 'admin',
    query: PairingRequestQuery,
    page: PairingRequestPage,
  }),
  accept: post('/api/postes/demandes/{id}/accepter/', 'Accept a station', {
    access: 'admin',
    errors: ['duplicate'],
    params: byId,
    body: AcceptPairingInput,
    answers: { 200: PairingRequest },
  }),
  refuse: post('/api/postes/demandes/{id}/refuser/', 'Refuse a station', {
    access: 'admin',
    params: byId,
    body: closed({}),
    answers: { 200: closed({}) },
  }),
} as const satisfies Endpoints

/** The site key, by which stations enrol. */
export const siteKeyEndpoints = {
  read: get('/api/parametres/cle_enrolement/', 'The site key of enrolment', {
    access: 'admin',
    answers: { 200: EnrolmentKey },
  }),
  rotate: post(
    '/api/parametres/cle_enrolement/renouveler/',
    'Draw another site key; the old one opens nothing any more',
    { access: 'admin', body: closed({}), answers: { 200: EnrolmentKey } },
  ),
} as const satisfies Endpoints
