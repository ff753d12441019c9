import { randomUUID } from 'node:crypto'
import type { Actor, Operator, OperatorInput, OperatorReplacement } from '@escale/protocol'
import { instantOf } from '@escale/protocol'
import type { Clock } from '../../clock.ts'
import type { Database } from '../../db/database.ts'
import type { OperatorRow } from '../../db/rows.ts'
import { AppError } from '../../errors.ts'
import { requireVersion } from '../../http/etag.ts'
import { windowOf, type PageQuery, type Rows } from '../../http/page.ts'
import type { Journal } from '../logs/index.ts'
import type { OperatorFilter, OperatorRepository } from './operator-repository.ts'
import type { AuthRepository } from './repository.ts'
import type { Passwords } from './passwords.ts'

const columns = { username: 'username', role: 'role', isActive: 'isActive', createdAt: 'createdAtMs' }

export interface OperatorPorts {
  database: Database
  repository: OperatorRepository
  tokens: Pick<AuthRepository, 'deleteOf'>
  passwords: Passwords
  journal: Journal
  clock: Clock
}

export type OperatorService = ReturnType<typeof createOperatorService>

/** The staff: who may sign in, and with which role. */
export function createOperatorService({
  database,
  repository,
  tokens,
  passwords,
  journal,
  clock,
}: OperatorPorts) {
  async function get(id: string): Promise<OperatorRow> {
    const row = await repository.find(id)
    if (!row) throw new AppError('not-found')
    return row
  }

  /** Somebody must be able to sign in and mend things. */
  async function requireAnotherAdmin(
    before: OperatorRow,
    after: Pick<OperatorRow, 'role' | 'isActive'>,
  ): Promise<void> {
    const isAdmin = (row: Pick<OperatorRow, 'role' | 'isActive'>) => row.role === 'admin' && row.isActive
    if (!isAdmin(before) || isAdmin(after)) return
    if ((await repository.count({ role: 'admin', isActive: true })) <= 1) throw new AppError('last-admin')
  }

  function save(
    id: string,
    after: Pick<OperatorRow, 'role' | 'isActive'>,
    passwordHash: string | undefined,
    actor: Actor,
    expectedVersion: number | undefined,
  ): Promise<OperatorRow> {
    return database.write(async () => {
      const before = await get(id)
      requireVersion(before, expectedVersion)
      await requireAnotherAdmin(before, after)
      const row: OperatorRow = {
        ...before,
        ...after,
        ...(passwordHash === undefined ? {} : { passwordHash }),
        version: before.version + 1,
      }
      await repository.update(row)
      const { role, isActive } = after
      const details = { operatorId: id, role, isActive, hasNewPassword: passwordHash !== undefined }
      await journal.append({ action: 'operator.updated', actor, details })
      await tokens.deleteOf(id)
      return row
    })
  }

  return {
    get,

    /** Makes the first operator; @returns false when there is one already. */
    async ensureFirst(username: string, password: string): Promise<boolean> {
      if ((await repository.count()) > 0) return false
      const passwordHash = await passwords.hash(password)
      const row = {
        id: randomUUID(),
        username,
        passwordHash,
        role: 'admin',
        isActive: true,
        version: 1,
      } as const
      return database.write(async () => {
        // Another server may have been first while the password was hashed.
        if ((await repository.count()) > 0) return false
        await repository.insert({ ...row, createdAtMs: clock.nowMs() })
        return true
      })
    },

    async list(filter: OperatorFilter, query: PageQuery): Promise<Rows<Operator>> {
      const { count, rows } = await repository.list(filter, windowOf(query, columns))
      return { count, rows: rows.map(toOperator) }
    },

    async create({ username, role, password }: OperatorInput, actor: Actor): Promise<OperatorRow> {
      const passwordHash = await passwords.hash(password)
      return database.write(async () => {
        if (await repository.findByUsername(username)) {
          throw new AppError('duplicate', {
            errors: [
              {
                pointer: '/username',
                message: { fr: 'Cet identifiant est déjà pris.', en: 'This username is already taken.' },
              },
            ],
          })
        }
        const createdAtMs = clock.nowMs()
        const row: OperatorRow = {
          id: randomUUID(),
          username,
          passwordHash,
          role,
          isActive: true,
          version: 1,
          createdAtMs,
        }
        await repository.insert(row)
        await journal.append({ action: 'operator.created', actor, details: { operatorId: row.id, role } })
        return row
      })
    },

    async replace(
      id: string,
      input: OperatorReplacement,
      actor: Actor,
      expectedVersion?: number,
    ): Promise<OperatorRow> {
      // Looked at before as well: hashing a password takes half a second.
      requireVersion(await get(id), expectedVersion)
      const passwordHash = input.password === undefined ? undefined : await passwords.hash(input.password)
      const { role, isActive } = input
      return save(id, { role, isActive }, passwordHash, actor, expectedVersion)
    },

    /** An operator is never forgotten, for the journal names them: deleting one disables them for good. */
    async disable(id: string, actor: Actor, expectedVersion?: number): Promise<void> {
      const { role } = await get(id)
      await save(id, { role, isActive: false }, undefined, actor, expectedVersion)
    },
  }
}

export function toOperator({ id, username, role, isActive, createdAtMs }: OperatorRow): Operator {
  return { id, username, role, isActive, createdAt: instantOf(createdAtMs) }
}
