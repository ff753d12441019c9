import { restApi } from '@escale/protocol'
import { filterOf } from '../../db/page-window.ts'
import type { OperatorRow } from '../../db/rows.ts'
import { unwrap } from '../../errors.ts'
import { serve } from '../../http/endpoints.ts'
import { toOperator, type OperatorService } from './service.ts'

const withVersion = (row: OperatorRow) => ({ version: row.version, body: toOperator(row) })

export const operatorEndpoints = (operators: OperatorService) =>
  serve(restApi.operators, {
    list: ({ query }) => operators.list(filterOf(query), query),
    create: async ({ body, actor }) => withVersion(await operators.create(body, actor)),
    changeOwnPassword: async ({ body, actor, ip, caller }) => {
      const signInId = caller?.type === 'operator' ? caller.signInId : undefined
      unwrap(await operators.changeOwnPassword(body, actor, ip, signInId))
      return {}
    },
    read: async ({ params }) => withVersion(await operators.get(params.id)),
    replace: async ({ params, body, actor, expectedVersion }) =>
      withVersion(await operators.replace(params.id, body, actor, expectedVersion)),
    disable: ({ params, actor, expectedVersion }) => operators.disable(params.id, actor, expectedVersion),
  })
