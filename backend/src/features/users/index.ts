export { createUserRepository } from './repository.ts'
export { userRoutes } from './routes.ts'
export { createUserService, type UserService, type UserSessions } from './service.ts'
