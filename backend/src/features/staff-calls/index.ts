export { createStaffCallRepository } from './repository.ts'
export { staffCallRoutes } from './routes.ts'
export { createStaffCalls, type StaffCalls } from './service.ts'
