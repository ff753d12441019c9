import { resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Logger } from 'pino'
import type { AppOptions } from '../app.ts'
import { createNightlyBackup } from '../backup/nightly.ts'
import { createCertificateFolder, type CertificateFolder } from '../certificates/folder.ts'
import { namesOfMachine } from '../certificates/names.ts'
import { createMonotonicClock, type Clock } from '../clock.ts'
import { createWaker } from '../features/commands/index.ts'
import { databaseFileOf, openDataFolder, type DataFolder } from './data-folder.ts'
import { holdsSite } from '../db/examination.ts'
import type { Environment } from './environment.ts'
import { brokerAddressOf, type BrokerSite } from '../features/enrolment/index.ts'

/** The URL of a deployment's database. */
export function databaseUrlOf({ DATABASE_URL, ESCALE_DATA_DIR }: Environment): string {
  return DATABASE_URL || `sqlite:${databaseFileOf(ESCALE_DATA_DIR)}`
}

/**
 * Opens the data folder of a deployment, after a look whether its database holds a site.
 * @throws SetupError when folder and database do not belong together
 */
export async function openDataOf(
  environment: Environment,
  intentions: { isNewSite?: boolean; isNewKeys?: boolean } = {},
): Promise<DataFolder> {
  return openDataFolder(environment.ESCALE_DATA_DIR, {
    ...intentions,
    wantedSiteKey: environment.ESCALE_ENROLMENT_KEY,
    hasSite: await holdsSite(databaseUrlOf(environment)),
  })
}

/**
 * The options of the app that follow from a deployment's settings.
 * @param broker the broker's addresses, known once it listens
 */
export function appOptionsOf(
  environment: Environment,
  data: DataFolder,
  log: Logger,
  broker: () => Omit<BrokerSite, 'publicHost'>,
): AppOptions {
  const publicUrl = publicUrlOf(environment)
  const clock = createMonotonicClock()
  const { ESCALE_REDIS_URL: url } = environment
  const keys = [data.tokenKey, data.codeKey]
  const connectPeers = async () => {
    const { connectRedisPeers } = await import('../peers/redis-peers.ts')
    return connectRedisPeers({ url, keys, clock, log })
  }
  return {
    ...data,
    databaseUrl: databaseUrlOf(environment),
    dataDir: data.path,
    adminDir: fileURLToPath(new URL('../../../admin/dist', import.meta.url)),
    publicOrigin: publicUrl?.origin,
    trustedProxies: environment.ESCALE_TRUST_PROXY,
    wake: createWaker(),
    brokerFor: (arrival) => brokerAddressOf({ ...broker(), publicHost: publicUrl?.hostname }, arrival),
    clock,
    log,
    ...(environment.ESCALE_BACKUP_DIR && {
      nightlyBackup: createNightlyBackup({
        dir: resolve(environment.ESCALE_BACKUP_DIR),
        keep: environment.ESCALE_BACKUP_KEEP,
      }),
    }),
    ...(url && { connectPeers }),
  }
}

/** The certificate folder of this deployment, with the names that its certificates must be valid for. */
export function certificateFolderOf(environment: Environment, clock: Clock): CertificateFolder {
  const { ESCALE_DATA_DIR, ESCALE_HOST: host } = environment
  const isEverything = host === '0.0.0.0' || host === '::'
  const given = [publicUrlOf(environment)?.hostname ?? [], isEverything ? [] : host].flat()
  return createCertificateFolder(resolve(ESCALE_DATA_DIR), namesOfMachine(given), clock)
}

function publicUrlOf({ ESCALE_PUBLIC_URL }: Environment): URL | undefined {
  return ESCALE_PUBLIC_URL ? new URL(ESCALE_PUBLIC_URL) : undefined
}
