import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import {
  AcceptPairingInput,
  EnrolInput,
  Enrolled,
  EntityId,
  PairingPending,
  PairingRequest,
  PairingRequestPage,
  PairingRequestQuery,
  closed,
} from '@escale/protocol'
import { Type } from 'typebox'
import { isLoopback } from '../../domain/address.ts'
import { unwrap } from '../../errors.ts'
import { pageAnswer } from '../../http/page.ts'
import { actorOf } from '../auth/index.ts'
import type { BrokerAddress } from './broker-address.ts'
import type { EnrolmentService } from './service.ts'

const admin = { access: 'admin' } as const
const tags = ['postes']
const params = Type.Object({ id: EntityId })

export function enrolmentRoutes(
  enrolment: EnrolmentService,
  brokerFor: BrokerAddress,
): FastifyPluginAsyncTypebox {
  return async (app) => {
    app.post(
      '/enrol',
      {
        config: { access: 'public', isOpenToStations: true },
        schema: {
          tags,
          summary: 'A station asks for its identity',
          errors: ['enrolment-refused', 'pairing-full'],
          body: EnrolInput,
          response: { 200: Enrolled, 202: PairingPending },
        },
      },
      async (request, reply) => {
        const ownId = request.caller?.type === 'station' ? request.caller.id : undefined
        const outcome = unwrap(await enrolment.enrol(request.body, request.ip, ownId))
        void reply.header('cache-control', 'no-store')
        if (outcome.type === 'enrolled') {
          const { hostname: host, ip, protocol } = request
          const broker = brokerFor({ host, isLocal: isLoopback(ip), isSecure: protocol === 'https' })
          return reply.code(200).send({ ...outcome, ...broker })
        }
        return reply.code(202).send(outcome)
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
      async (request) => {
        const { page: _page, pageSize: _size, ordering: _order, ...filter } = request.query
        return pageAnswer(request, request.query, await enrolment.list(filter, request.query))
      },
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
