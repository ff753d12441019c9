import { inject, type InjectionKey } from 'vue'
import type { Api, SignIn } from './api/client.ts'
import type { Tokens } from './api/tokens.ts'

/** What main.ts creates once for the whole application. */
export interface Services {
  api: Api
  signIn: SignIn
  tokens: Tokens
  /** Whether a reload leaves the operator signed in. */
  isSignInKept: boolean
}

export const servicesKey: InjectionKey<Services> = Symbol('services')

/** @throws Error outside the application that main.ts composed. */
export function useServices(): Services {
  const services = inject(servicesKey)
  if (services === undefined) throw new Error('services are not provided')
  return services
}
