import { instantOf, type Actor, type Throttle } from '@escale/protocol'
import type { ThrottleRow } from '../../db/rows.ts'
import { throttleSubjectOf, waitSecondsAt } from '../../domain/throttle.ts'
import { AppError } from '../../errors.ts'
import { windowOf, type PageQuery, type Rows } from '../../db/page-window.ts'
import type { BasePorts } from '../base-ports.ts'
import type { ThrottleFilter, ThrottleRepository } from './repository.ts'

const columns = { blockedUntil: 'blockedUntilMs', failures: 'failures' }

export interface NamedOperator {
  id: string
  username: string
}

export interface BlockPorts extends BasePorts {
  repository: ThrottleRepository
  operators(): Promise<NamedOperator[]>
  /** Stands for a username in the key of a counter. */
  hashOfUsername(username: string): string
  /** The public id of a counter. Its key could reveal who tried to sign in. */
  idOf(key: string): string
}

export type ThrottleBlocks = ReturnType<typeof createThrottleBlocks>

/** Shows blocks to the staff, and removes a block. */
export function createThrottleBlocks(ports: BlockPorts) {
  const { database, repository, operators, hashOfUsername, idOf, journal, clock } = ports

  const operatorsByHash = async () =>
    new Map((await operators()).map((operator) => [hashOfUsername(operator.username), operator]))

  /** Shows a username only if an operator has it: people also type passwords in its place. */
  function shownOf(
    { key, failures, blockedUntilMs }: ThrottleRow,
    byHash: ReadonlyMap<string, NamedOperator>,
  ): Throttle[] {
    const subject = throttleSubjectOf(key)
    if (!subject) return []
    const operator = 'usernameHash' in subject ? byHash.get(subject.usernameHash) : undefined
    return [
      {
        id: idOf(key),
        kind: subject.kind,
        ...('stationId' in subject ? { stationId: subject.stationId } : {}),
        ...('ip' in subject ? { ip: subject.ip } : {}),
        ...(operator ? { username: operator.username } : {}),
        failures,
        blockedUntil: instantOf(blockedUntilMs),
        retryAfterSeconds: waitSecondsAt({ blockedUntilMs }, clock.nowMs()),
      },
    ]
  }

  return {
    async list(filter: ThrottleFilter, query: PageQuery): Promise<Rows<Throttle>> {
      const window = windowOf(query, columns)
      const { count, rows } = await repository.inForce(filter, clock.nowMs(), window)
      const byHash = await operatorsByHash()
      return { count, rows: rows.flatMap((row) => shownOf(row, byHash)) }
    },

    /** @throws AppError `forbidden` if somebody other than an admin removes a block that is not about codes */
    lift(id: string, actor: Actor, isAdmin: boolean): Promise<void> {
      return database.write(async () => {
        const keys = await repository.keysInForce(clock.nowMs())
        const key = keys.find((candidate) => idOf(candidate) === id)
        const subject = key === undefined ? undefined : throttleSubjectOf(key)
        if (key === undefined || !subject) throw new AppError('not-found')
        const isOfCode = subject.kind === 'station-code' || subject.kind === 'address-code'
        if (!isOfCode && !isAdmin) throw new AppError('forbidden')
        await repository.remove([key])
        const operator =
          'usernameHash' in subject ? (await operatorsByHash()).get(subject.usernameHash) : undefined
        await journal.append({
          action: 'throttle.lifted',
          actor,
          ...('stationId' in subject ? { stationId: subject.stationId } : {}),
          ...('ip' in subject ? { ip: subject.ip } : {}),
          details: { kind: subject.kind, ...(operator ? { operatorId: operator.id } : {}) },
        })
      })
    },
  }
}
