import { restApi } from '@escale/protocol'
import { AppError, unwrap } from '../../errors.ts'
import { serve } from '../../http/endpoints.ts'
import type { SignIns } from './sign-ins.ts'

export const authEndpoints = (signIns: SignIns) =>
  serve(restApi.auth, {
    login: async ({ body, ip }) => unwrap(await signIns.login(body, ip)),
    refresh: async ({ body }) => unwrap(await signIns.refresh(body.refresh)),
    revoke: async ({ body }) => {
      await signIns.revoke(body.refresh)
      return {}
    },
    verify: async ({ body }) => {
      if (!(await signIns.authenticate(body.token))) throw new AppError('unauthenticated')
      return {}
    },
  })
