import { LoginInput, RefreshInput, TokenPair, VerifyInput } from '../auth.ts'
import { everybody, noFields } from './define.ts'
import type { Endpoints } from './endpoint.ts'

/** Sign-in of operators and their tokens. */
export const authEndpoints = {
  login: everybody.post('/api/token/', 'Sign in', {
    errors: ['login-failed', 'login-throttled'],
    body: LoginInput,
    answers: { 200: TokenPair },
  }),
  refresh: everybody.post('/api/token/refresh/', 'Renew both tokens', {
    errors: ['unauthenticated'],
    body: RefreshInput,
    answers: { 200: TokenPair },
  }),
  revoke: everybody.post(
    '/api/token/revoke/',
    'Sign out: ends everything that was issued under this sign-in',
    { body: RefreshInput, answers: { 200: noFields } },
  ),
  verify: everybody.post('/api/token/verify/', 'Whether an access token holds', {
    errors: ['unauthenticated'],
    body: VerifyInput,
    answers: { 200: noFields },
  }),
} as const satisfies Endpoints
