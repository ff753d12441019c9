import {
  AcceptPairingInput,
  BootToken,
  EnrolInput,
  Enrolled,
  EnrolmentKey,
  PairingPending,
  PairingRequest,
  PairingRequestQuery,
} from '../enrolment.ts'
import { admins, byId, byName, everybody, noFields } from './define.ts'
import type { Endpoints } from './endpoint.ts'

/** Enrolment of stations. */
export const enrolmentEndpoints = {
  enrol: everybody.post('/api/postes/enrol/', 'A station asks for its identity', {
    guests: ['stations'],
    errors: ['enrolment-refused', 'enrolment-throttled', 'pairing-full'],
    body: EnrolInput,
    answers: { 200: Enrolled, 202: PairingPending },
  }),
  issueBootToken: admins.post(
    '/api/postes/{id}/boot_token/',
    'What the boot script of a diskless station carries, once',
    {
      guests: ['netboot'],
      errors: ['station-online', 'station-revoked', 'mac-address-missing'],
      params: byName,
      body: noFields,
      answers: { 201: BootToken },
    },
  ),
  list: admins.list('/api/postes/demandes/', 'Stations that wait to be accepted', {
    query: PairingRequestQuery,
    item: PairingRequest,
  }),
  accept: admins.post('/api/postes/demandes/{id}/accepter/', 'Accept a station', {
    errors: ['duplicate'],
    params: byId,
    body: AcceptPairingInput,
    answers: { 200: PairingRequest },
  }),
  refuse: admins.post('/api/postes/demandes/{id}/refuser/', 'Refuse a station', {
    params: byId,
    body: noFields,
    answers: { 200: noFields },
  }),
} as const satisfies Endpoints

/** The site key, by which stations enrol. */
export const siteKeyEndpoints = {
  read: admins.get('/api/parametres/cle_enrolement/', 'The site key of enrolment', {
    answers: { 200: EnrolmentKey },
  }),
  rotate: admins.post(
    '/api/parametres/cle_enrolement/renouveler/',
    'Draw another site key; the old one opens nothing any more',
    { body: noFields, answers: { 200: EnrolmentKey } },
  ),
} as const satisfies Endpoints
