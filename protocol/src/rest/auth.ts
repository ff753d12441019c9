import { LoginInput, RefreshInput, TokenPair, VerifyInput } from '../auth.ts'
import { closed } from '../schema.ts'
import type { Endpoints } from './endpoint.ts'

/** Sign-in of operators, and what is issued under it. */
export const authEndpoints = {
  login: {
    method: 'POST',
    path: '/api/token/',
    summary: 'Sign in',
    access: 'public',
    errors: ['login-failed', 'login-throttled'],
    body: LoginInput,
    answers: { 200: TokenPair },
  },
  refresh: {
    method: 'POST',
    path: '/api/token/refresh/',
    summary: 'Renew both tokens',
    access: 'public',
    errors: ['unauthenticated'],
    body: RefreshInput,
    answers: { 200: TokenPair },
  },
  revoke: {
    method: 'POST',
    path: '/api/token/revoke/',
    summary: 'Sign out: ends everything that was issued under this sign-in',
    access: 'public',
    body: RefreshInput,
    answers: { 200: closed({}) },
  },
  verify: {
    method: 'POST',
    path: '/api/token/verify/',
    summary: 'Whether an access token holds',
    access: 'public',
    errors: ['unauthenticated'],
    body: VerifyInput,
    answers: { 200: closed({}) },
  },
} as const satisfies Endpoints
