import type { Store } from '../../db/database.ts'
import type { Feature } from '../feature.ts'
import { createArchiveFiles, type ArchiveFilePorts } from './files.ts'
import { createArchiveRepository } from './repository.ts'
import { createRetention, type RetentionPorts } from './retention.ts'

export type { Retention } from './retention.ts'

export interface ArchivePorts extends Omit<RetentionPorts & ArchiveFilePorts, 'repository' | 'archives'> {
  database: Store
  /** Where the files lie. */
  folder: string
}

/** Old sessions and records: archived without what identifies a person, then purged. */
export function createArchives(ports: ArchivePorts) {
  const { database, folder } = ports
  const archives = createArchiveFiles(folder, { ...ports, repository: createArchiveRepository(database) })
  const service = createRetention({ ...ports, archives })
  return { service, start: archives.makeAnonymous } satisfies Feature
}
