import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { LoginInput, RefreshInput, TokenPair, VerifyInput } from '@escale/protocol'
import { Type } from 'typebox'
import { AppError, unwrap } from '../../errors.ts'
import type { AuthService } from './service.ts'

const config = { access: 'public' } as const
const tags = ['auth']

export function authRoutes(auth: AuthService): FastifyPluginAsyncTypebox {
  return async (app) => {
    app.post(
      '/token',
      {
        config,
        schema: {
          tags,
          summary: 'Sign in',
          errors: ['login-failed', 'login-throttled'],
          body: LoginInput,
          response: { 200: TokenPair },
        },
      },
      async (request) => unwrap(await auth.login(request.body, request.ip)),
    )
    app.post(
      '/token/refresh',
      {
        config,
        schema: {
          tags,
          summary: 'Renew both tokens',
          errors: ['unauthenticated'],
          body: RefreshInput,
          response: { 200: TokenPair },
        },
      },
      async (request) => unwrap(await auth.refresh(request.body.refresh)),
    )
    app.post(
      '/token/revoke',
      {
        config,
        schema: {
          tags,
          summary: 'Sign out: ends everything that was issued under this sign-in',
          body: RefreshInput,
          response: { 200: Type.Object({}) },
        },
      },
      async (request) => {
        await auth.revoke(request.body.refresh)
        return {}
      },
    )
    app.post(
      '/token/verify',
      {
        config,
        schema: {
          tags,
          summary: 'Whether an access token holds',
          errors: ['unauthenticated'],
          body: VerifyInput,
          response: { 200: Type.Object({}) },
        },
      },
      async (request) => {
        if (!(await auth.authenticate(request.body.token))) throw new AppError('unauthenticated')
        return {}
      },
    )
  }
}
