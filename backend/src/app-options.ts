import { fileURLToPath } from 'node:url'
import type { Logger } from 'pino'
import type { AppOptions } from './app.ts'
import { createMonotonicClock } from './clock.ts'
import { createWaker } from './features/commands/index.ts'
import { openDataFolder } from './data-folder.ts'
import type { Environment } from './environment.ts'

/**
 * What a deployment's settings make of the app; opens the data folder.
 * @param mqttPort the broker's port, known once it listens
 */
export function appOptionsOf(environment: Environment, log: Logger, mqttPort: () => number): AppOptions {
  const data = openDataFolder(environment.ESCALE_DATA_DIR, environment.ESCALE_ENROLMENT_KEY)
  const publicUrl = environment.ESCALE_PUBLIC_URL ? new URL(environment.ESCALE_PUBLIC_URL) : undefined
  return {
    databaseUrl: environment.DATABASE_URL || `sqlite:${data.databaseFile}`,
    dataDir: data.path,
    tokenKey: data.tokenKey,
    codeKey: data.codeKey,
    siteKey: data.siteKey,
    adminDir: fileURLToPath(new URL('../../admin/dist', import.meta.url)),
    publicOrigin: publicUrl?.origin,
    trustedProxies: environment.ESCALE_TRUST_PROXY,
    mqttUrlFor: (host) => `mqtt://${publicUrl?.hostname ?? host}:${mqttPort()}`,
    wake: createWaker(),
    clock: createMonotonicClock(),
    log,
  }
}
