export { createArchiveRepository } from './archive-repository.ts'
export { createArchives } from './files.ts'
export { createRetentionRepository } from './repository.ts'
export { createRetention, type Retention } from './retention.ts'
