import type { Clock } from '../../clock.ts'
import { keyedHash } from '../../crypto/secrets.ts'
import type { Store } from '../../db/database.ts'
import type { Feature } from '../feature.ts'
import type { Journal } from '../logs/index.ts'
import { createThrottleBlocks, type NamedOperator } from './blocks.ts'
import { createCounters } from './counters.ts'
import { blockEndpoints } from './endpoints.ts'
import { createThrottleRepository } from './repository.ts'

export type { Throttles } from './counters.ts'

export interface ThrottlePorts {
  database: Store
  /** All operators, so that a block can show whom it is about. */
  operators(): Promise<NamedOperator[]>
  journal: Journal
  clock: Clock
  /** Keys the hashes of usernames, and the ids of counters. */
  hashKey: Buffer
}

/** Counters of wrong codes and wrong passwords, and the blocks that follow from them. */
export function createThrottles({ database, operators, journal, clock, hashKey }: ThrottlePorts) {
  const repository = createThrottleRepository(database)
  const hashOfUsername = (username: string) => keyedHash(hashKey, `username ${username}`)
  const service = createCounters({ repository, hashOfUsername, clock })
  const idOf = (key: string) => keyedHash(hashKey, key)
  const blocks = createThrottleBlocks({
    ...{ database, repository, operators, hashOfUsername, idOf, journal, clock },
  })
  return { service, endpoints: [blockEndpoints(blocks)] } satisfies Feature
}
