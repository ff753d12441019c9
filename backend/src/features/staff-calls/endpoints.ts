import { restApi } from '@escale/protocol'
import { shown } from '../../db/page-window.ts'
import { serve } from '../../http/endpoints.ts'
import type { StaffCalls } from './service.ts'
import { toStaffCall } from './view.ts'

export function staffCallEndpoints(calls: Pick<StaffCalls, 'list' | 'take' | 'close'>) {
  return serve(restApi.calls, {
    list: async ({ query }) => shown(await calls.list(query), toStaffCall),
    take: ({ params, actor }) => calls.take(params.id, actor),
    close: ({ params, actor }) => calls.close(params.id, actor),
  })
}
