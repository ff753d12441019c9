import { LoginInput, RefreshInput, TokenPair, VerifyInput } from '../auth.ts'
import { closed } from '../schema.ts'
import { post, type Endpoints } from './endpoint.ts'

/** Sign-in of operators and their tokens. */
export const authEndpoints = {
  login: post('/api/token/', 'Sign in', {
    access: 'public',
    errors: ['login-failed', 'login-throttled'],
    body: LoginInput,
    answers: { 200: TokenPair },
  }),
  refresh: post('/api/token/refresh/', 'Renew both tokens', {
    access: 'public',
    errors: ['unauthenticated'],
    body: RefreshInput,
    answers: { 200: TokenPair },
  }),
  revoke: post('/api/token/revoke/', 'Sign out: ends everything that was issued under this sign-in', {
    access: 'public',
    body: RefreshInput,
    answers: { 200: closed({}) },
  }),
  verify: post('/api/token/verify/', 'Whether an access token holds', {
    access: 'public',
    errors: ['unauthenticated'],
    body: VerifyInput,
    answers: { 200: closed({}) },
  }),
} as const satisfies Endpoints
