import type { Clock } from '../../clock.ts'
import type { Feature } from '../feature.ts'
import type { UserService } from '../users/index.ts'
import { photoEndpoints } from './endpoints.ts'
import { createPhotoService } from './service.ts'
import type { PhotoStore } from './store.ts'

export { createPhotoStore, type PhotoStore } from './store.ts'

export interface PhotoPorts {
  users: Pick<UserService, 'get' | 'setPhoto' | 'photoNames'>
  store: PhotoStore
  clock: Clock
}

/** Photos of users: redrawn before they are kept. */
export function createPhotos(ports: PhotoPorts) {
  const service = createPhotoService(ports)
  return { service, endpoints: [photoEndpoints(service)], start: service.sweep } satisfies Feature
}
