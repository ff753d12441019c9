import { restApi } from '@escale/protocol'
import { unwrap } from '../../errors.ts'
import { serve } from '../../http/endpoints.ts'
import type { BootTokens } from './boot-tokens.ts'
import type { BrokerAddress } from './broker-address.ts'
import type { Pairing } from './pairing.ts'
import type { EnrolmentService } from './service.ts'
import type { SiteKey } from './site-key.ts'

export interface EnrolmentEndpointPorts {
  enrolment: EnrolmentService
  pairing: Pick<Pairing, 'list' | 'accept' | 'refuse'>
  bootTokens: Pick<BootTokens, 'issue'>
  brokerFor: BrokerAddress
}

export function enrolmentEndpoints({ enrolment, pairing, bootTokens, brokerFor }: EnrolmentEndpointPorts) {
  return serve(restApi.enrolment, {
    enrol: async ({ body, ip, caller, arrival }) => {
      const ownId = caller?.type === 'station' ? caller.id : undefined
      const outcome = unwrap(await enrolment.enrol(body, ip, ownId))
      if (outcome.type === 'pending') return { status: 202 as const, body: outcome.pending }
      return { status: 200 as const, body: { ...outcome.identity, ...brokerFor(arrival) } }
    },
    issueBootToken: ({ params, actor }) => bootTokens.issue(params.id, actor),
    list: ({ query }) => pairing.list(query),
    accept: ({ params, body, actor }) => pairing.accept(params.id, body, actor),
    refuse: async ({ params, actor }) => {
      await pairing.refuse(params.id, actor)
      return {}
    },
  })
}

export function siteKeyEndpoints(siteKey: Pick<SiteKey, 'current' | 'rotate'>) {
  return serve(restApi.siteKey, {
    read: () => siteKey.current(),
    rotate: ({ actor }) => siteKey.rotate(actor),
  })
}
