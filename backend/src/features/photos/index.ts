export { photoRoutes } from './routes.ts'
export { createPhotoService, type PhotoService } from './service.ts'
export { createPhotoStore, type PhotoStore } from './store.ts'
