import { restApi } from '@escale/protocol'
import { FileAnswer, serve } from '../../http/endpoints.ts'
import type { PrivacyService } from './service.ts'

export const privacyEndpoints = (privacy: PrivacyService) =>
  serve(restApi.privacy, {
    export: async ({ params, actor }) => {
      const archive = await privacy.exportOf(params.id, actor)
      return new FileAnswer('application/zip', Buffer.from(archive), { name: `escale-${params.id}.zip` })
    },
    erase: ({ params, actor, expectedVersion }) => privacy.erase(params.id, actor, expectedVersion),
  })
