import { restApi, type Operator } from '@escale/protocol'
import { answerOf } from '../../db/nulls.ts'
import { shown } from '../../db/page-window.ts'
import type { OperatorRow } from '../../db/rows.ts'
import { unwrap } from '../../errors.ts'
import { serve } from '../../http/endpoints.ts'
import type { OperatorService } from './service.ts'

const toOperator = ({ passwordHash: _hash, version: _version, ...row }: OperatorRow): Operator =>
  answerOf(row)

const withVersion = (row: OperatorRow) => ({ version: row.version, body: toOperator(row) })

export const operatorEndpoints = (operators: OperatorService) =>
  serve(restApi.operators, {
    list: async ({ query }) => shown(await operators.list(query), toOperator),
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
