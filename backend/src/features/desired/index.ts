import type { Feature } from '../feature.ts'
import { createDesiredDocuments, type DocumentPorts } from './documents.ts'

export type { DesiredDocuments, DocumentChange } from './documents.ts'

/** What each station should show and allow. */
export function createDesired(ports: DocumentPorts) {
  const service = createDesiredDocuments(ports)
  return { service, start: service.repair } satisfies Feature
}
