export { createPairingRepository } from './repository.ts'
export { enrolmentRoutes } from './routes.ts'
export { createEnrolmentService } from './service.ts'
