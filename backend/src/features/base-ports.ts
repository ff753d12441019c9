import type { Clock } from '../clock.ts'
import type { Database } from '../db/database.ts'
import type { Journal } from './logs/index.ts'

/** What a service needs that changes something and puts it on record. */
export interface BasePorts {
  database: Database
  journal: Journal
  clock: Clock
}
