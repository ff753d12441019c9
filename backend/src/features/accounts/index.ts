export { createAccountRepository } from './repository.ts'
export { accountRoutes } from './routes.ts'
export { createAccountService, type AccountService, type DrawnSecret } from './service.ts'
