export { createOperatorRepository, type OperatorRepository } from './repository.ts'
export { operatorRoutes } from './routes.ts'
export { createOperatorService, type OperatorService } from './service.ts'
