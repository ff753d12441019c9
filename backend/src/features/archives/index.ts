import type { Logger } from 'pino'
import type { Clock } from '../../clock.ts'
import type { Store } from '../../db/database.ts'
import type { Feature } from '../feature.ts'
import type { OldRecords } from '../logs/index.ts'
import type { Settings } from '../settings/index.ts'
import type { Throttles } from '../throttles/index.ts'
import { createArchiveFiles } from './files.ts'
import { createArchiveRepository } from './repository.ts'
import { createRetention } from './retention.ts'
import { createRetentionRepository } from './retention-repository.ts'

export type { Retention } from './retention.ts'

export interface ArchivePorts {
  database: Store
  /** Where the files lie. */
  folder: string
  logs: OldRecords
  throttles: Pick<Throttles, 'removeQuietSince'>
  settings: Settings
  clock: Clock
  log: Logger
}

/** Old sessions and records: archived without what identifies a person, then purged. */
export function createArchives(ports: ArchivePorts) {
  const { database, folder } = ports
  const archives = createArchiveFiles(folder, { ...ports, repository: createArchiveRepository(database) })
  const service = createRetention({ ...ports, repository: createRetentionRepository(database), archives })
  return { service, start: archives.makeAnonymous } satisfies Feature
}
