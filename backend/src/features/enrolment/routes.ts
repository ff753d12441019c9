import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import {
  AcceptPairingInput,
  BootToken,
  EnrolInput,
  Enrolled,
  EnrolmentKey,
  EntityId,
  PairingPending,
  PairingRequest,
  PairingRequestPage,
  PairingRequestQuery,
  StationId,
  closed,
} from '@escale/protocol'
import { Type } from 'typebox'
import { unwrap } from '../../errors.ts'
import { listAnswer } from '../../http/page.ts'
import { actorOf } from '../../http/guard.ts'
import type { BootTokens } from './boot-tokens.ts'
import { arrivalOf } from '../../http/arrival.ts'
import type { BrokerAddress } from './broker-address.ts'
import type { EnrolmentService } from './service.ts'
import type { SiteKey } from './site-key.ts'

const admin = { access: 'admin' } as const
const tags = ['postes']
const params = Type.Object({ id: EntityId })

export interface EnrolmentRoutePorts {
  enrolment: EnrolmentService
  bootTokens: Pick<BootTokens, 'issue'>
  brokerFor: BrokerAddress
}

export function enrolmentRoutes({
  enrolment,
  bootTokens,
  brokerFor,
}: EnrolmentRoutePorts): FastifyPluginAsyncTypebox {
  return async (app) => {
    app.post(
      '/enrol',
      {
        config: { access: 'public', isOpenToStations: true },
        schema: {
          tags,
          summary: 'A station asks for its identity',
          errors: ['enrolment-refused', 'enrolment-throttled', 'pairing-full'],
          body: EnrolInput,
          response: { 200: Enrolled, 202: PairingPending },
        },
      },
      async (request, reply) => {
        const ownId = request.caller?.type === 'station' ? request.caller.id : undefined
        const outcome = unwrap(await enrolment.enrol(request.body, request.ip, ownId))
        if (outcome.type === 'enrolled') {
          return reply.code(200).send({ ...outcome, ...brokerFor(arrivalOf(request)) })
        }
        return reply.code(202).send(outcome)
      },
    )
    app.post(
      '/:id/boot_token',
      {
        config: { access: 'admin', isOpenToNetboot: true },
        schema: {
          tags,
          summary: 'What the boot script of a diskless station carries, once',
          errors: ['station-online', 'station-revoked', 'mac-address-missing'],
          params: Type.Object({ id: StationId }),
          body: closed({}),
          response: { 201: BootToken },
        },
      },
      async (request, reply) => {
        const token = await bootTokens.issue(request.params.id, actorOf(request))
        return reply.code(201).send(token)
      },
    )
    app.get(
      '/demandes',
      {
        config: admin,
        schema: {
          tags,
          summary: 'Stations that wait to be accepted',
          querystring: PairingRequestQuery,
          response: { 200: PairingRequestPage },
        },
      },
      (request) => listAnswer(request, enrolment.list),
    )
    app.post(
      '/demandes/:id/accepter',
      {
        config: admin,
        schema: {
          tags,
          summary: 'Accept a station',
          errors: ['duplicate'],
          params,
          body: AcceptPairingInput,
          response: { 200: PairingRequest },
        },
      },
      (request) => enrolment.accept(request.params.id, request.body, actorOf(request)),
    )
    app.post(
      '/demandes/:id/refuser',
      {
        config: admin,
        schema: {
          tags,
          summary: 'Refuse a station',
          params,
          body: closed({}),
          response: { 200: closed({}) },
        },
      },
      async (request) => {
        await enrolment.refuse(request.params.id, actorOf(request))
        return {}
      },
    )
  }
}

/** The site key, below the settings. */
export function siteKeyRoutes(siteKey: Pick<SiteKey, 'current' | 'rotate'>): FastifyPluginAsyncTypebox {
  const response = { 200: EnrolmentKey }
  const site = ['parametres']
  return async (app) => {
    app.get(
      '/cle_enrolement',
      { config: admin, schema: { tags: site, summary: 'The site key of enrolment', response } },
      () => siteKey.current(),
    )
    app.post(
      '/cle_enrolement/renouveler',
      {
        config: admin,
        schema: {
          tags: site,
          summary: 'Draw another site key; the old one opens nothing any more',
          body: closed({}),
          response,
        },
      },
      (request) => siteKey.rotate(actorOf(request)),
    )
  }
}
