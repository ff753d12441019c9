import type { Store } from '../../db/database.ts'
import type { Feature } from '../feature.ts'
import { createDesiredDocuments, type DocumentPorts } from './documents.ts'
import { createDesiredRepository } from './repository.ts'

export type { DesiredDocuments, KnownSession } from './documents.ts'

export type DesiredPorts = Omit<DocumentPorts, 'database' | 'repository'> & { database: Store }

/** What each station should show and allow. */
export function createDesired(ports: DesiredPorts) {
  const service = createDesiredDocuments({ ...ports, repository: createDesiredRepository(ports.database) })
  return { service, start: service.repair } satisfies Feature
}
