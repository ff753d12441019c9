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
import { byId, byName, type Endpoints } from './endpoint.ts'

/** How stations get their identity. */
export const enrolmentEndpoints = {
  enrol: {
    method: 'POST',
    path: '/api/postes/enrol/',
    summary: 'A station asks for its identity',
    access: 'public',
    guests: ['stations'],
    errors: ['enrolment-refused', 'enrolment-throttled', 'pairing-full'],
    body: EnrolInput,
    answers: { 200: Enrolled, 202: PairingPending },
  },
  issueBootToken: {
    method: 'POST',
    path: '/api/postes/{id}/boot_token/',
    summary: 'What the boot script of a diskless station carries, once',
    access: 'admin',
    guests: ['netboot'],
    errors: ['station-online', 'station-revoked', 'mac-address-missing'],
    params: byName,
    body: closed({}),
    answers: { 201: BootToken },
  },
  list: {
    method: 'GET',
    path: '/api/postes/demandes/',
    summary: 'Stations that wait to be accepted',
    access: 'admin',
    query: PairingRequestQuery,
    page: PairingRequestPage,
  },
  accept: {
    method: 'POST',
    path: '/api/postes/demandes/{id}/accepter/',
    summary: 'Accept a station',
    access: 'admin',
    errors: ['duplicate'],
    params: byId,
    body: AcceptPairingInput,
    answers: { 200: PairingRequest },
  },
  refuse: {
    method: 'POST',
    path: '/api/postes/demandes/{id}/refuser/',
    summary: 'Refuse a station',
    access: 'admin',
    params: byId,
    body: closed({}),
    answers: { 200: closed({}) },
  },
} as const satisfies Endpoints

/** The site key, which lets stations in without asking. */
export const siteKeyEndpoints = {
  read: {
    method: 'GET',
    path: '/api/parametres/cle_enrolement/',
    summary: 'The site key of enrolment',
    access: 'admin',
    answers: { 200: EnrolmentKey },
  },
  rotate: {
    method: 'POST',
    path: '/api/parametres/cle_enrolement/renouveler/',
    summary: 'Draw another site key; the old one opens nothing any more',
    access: 'admin',
    body: closed({}),
    answers: { 200: EnrolmentKey },
  },
} as const satisfies Endpoints
