export { createThrottleBlocks } from './blocks.ts'
export { createThrottles, type Throttles } from './counters.ts'
export { createThrottleRepository } from './repository.ts'
export { throttleRoutes } from './routes.ts'
