import { restApi } from '@escale/protocol'
import { filterOf } from '../../db/page-window.ts'
import { serve } from '../../http/endpoints.ts'
import type { ThrottleBlocks } from './blocks.ts'

export const blockEndpoints = (blocks: ThrottleBlocks) =>
  serve(restApi.blocks, {
    list: ({ query }) => blocks.list(filterOf(query), query),
    lift: ({ params, actor, caller }) => {
      const isAdmin = caller?.type === 'operator' && caller.role === 'admin'
      return blocks.lift(params.id, actor, isAdmin)
    },
  })
