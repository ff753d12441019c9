import { inject, type InjectionKey } from 'vue'
import type { ApiClient } from './api/client.ts'
import type { Tokens } from './api/tokens.ts'
import type { Store } from './browser/storage.ts'

/** What main.ts makes once and the rest asks for. */
export interface Services {
  api: ApiClient
  tokens: Tokens
  /** What the operator chose in this browser. */
  preferences: Store
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
