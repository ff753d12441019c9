import { restApi, type Account } from '@escale/protocol'
import { answerOf } from '../../db/nulls.ts'
import { shown } from '../../db/page-window.ts'
import type { AccountRow } from '../../db/rows.ts'
import type { Arrival } from '../../domain/arrival.ts'
import { serve } from '../../http/endpoints.ts'
import type { BrokerAddress } from '../enrolment/index.ts'
import type { AccountService, DrawnSecret } from './service.ts'

const toAccount = ({ secretHash: _secret, version: _version, ...row }: AccountRow): Account => answerOf(row)

const withVersion = (row: AccountRow) => ({ version: row.version, body: toAccount(row) })

export function accountEndpoints(accounts: AccountService, brokerFor: BrokerAddress) {
  const withSecret = ({ account, secret }: DrawnSecret, arrival: Arrival) => {
    const { mqttUrl } = brokerFor(arrival)
    return { version: account.version, body: { ...toAccount(account), secret, mqttUrl } }
  }

  return serve(restApi.accounts, {
    list: async ({ query }) => shown(await accounts.list(query), toAccount),
    create: async ({ body, actor, arrival }) => withSecret(await accounts.create(body, actor), arrival),
    read: async ({ params }) => withVersion(await accounts.get(params.id)),
    replace: async ({ params, body, actor, expectedVersion }) =>
      withVersion(await accounts.replace(params.id, body, actor, expectedVersion)),
    remove: ({ params, actor, expectedVersion }) => accounts.remove(params.id, actor, expectedVersion),
    renewSecret: async ({ params, actor, expectedVersion, arrival }) =>
      withSecret(await accounts.renewSecret(params.id, actor, expectedVersion), arrival),
  })
}
