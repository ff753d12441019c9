import type { Feature } from '../feature.ts'
import { photoEndpoints } from './endpoints.ts'
import { createPhotoService, type PhotoPorts } from './service.ts'

export type { PhotoPorts } from './service.ts'
export { createPhotoStore, type PhotoStore } from './store.ts'

/** Photos of users, redrawn before they are stored. */
export function createPhotos(ports: PhotoPorts) {
  const service = createPhotoService(ports)
  return { service, endpoints: [photoEndpoints(service)], start: service.sweep } satisfies Feature
}
