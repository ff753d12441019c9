export { createStaffCallRepository } from './repository.ts'
export { staffCallEndpoints } from './endpoints.ts'
export { createStaffCalls, type StaffCalls } from './service.ts'
