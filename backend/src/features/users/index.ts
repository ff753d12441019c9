export { createUserRepository, type UserRepository } from './repository.ts'
export { userRoutes } from './routes.ts'
export { createUserService, toUser, type UserService, type UserSessions } from './service.ts'
