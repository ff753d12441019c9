import { randomUUID } from 'node:crypto'
import {
  errorTable,
  instantOf,
  normaliseUsername,
  type Actor,
  type Operator,
  type OperatorInput,
  type OperatorReplacement,
  type OwnPasswordInput,
} from '@escale/protocol'
import type { Clock } from '../../clock.ts'
import type { Database } from '../../db/database.ts'
import type { OperatorRow } from '../../db/rows.ts'
import { AppError, failure, success, type Result } from '../../errors.ts'
import { requireVersion, type SeenVersions } from '../../db/versions.ts'
import { windowOf, type PageQuery, type Rows } from '../../db/page-window.ts'
import type { Journal } from '../logs/index.ts'
import { createOperatorChanges } from './changes.ts'
import type { OperatorFilter, OperatorRepository } from './repository.ts'
import type { PasswordCheck, SignIns } from '../auth/index.ts'
import { requireStrongPassword } from './password-strength.ts'
import type { Passwords } from '../../crypto/passwords.ts'

const columns = { username: 'username', role: 'role', isActive: 'isActive', createdAt: 'createdAtMs' }

export interface OperatorServicePorts {
  database: Database
  repository: OperatorRepository
  signIns: Pick<SignIns, 'endAllOf'>
  passwords: Pick<Passwords, 'hash'>
  passwordCheck: PasswordCheck
  journal: Journal
  clock: Clock
}

export type OperatorService = ReturnType<typeof createOperatorService>

/** The staff: who may sign in, and with which role. */
export function createOperatorService({
  database,
  repository,
  signIns,
  passwords,
  passwordCheck,
  journal,
  clock,
}: OperatorServicePorts) {
  const { get, save } = createOperatorChanges({ database, repository, signIns, journal })

  return {
    get,
    find: repository.find,
    findByTypedName: repository.findByTypedName,
    findAll: repository.findAll,

    /** Makes the first operator; @returns false when there is one already. */
    async ensureFirst(typed: string, password: string): Promise<boolean> {
      if ((await repository.count()) > 0) return false
      const username = normaliseUsername(typed)
      await requireStrongPassword(password, username)
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
        // While the password was hashed, another server may have made one.
        if ((await repository.count()) > 0) return false
        await repository.insert({ ...row, createdAtMs: clock.nowMs() })
        return true
      })
    },

    async list(filter: OperatorFilter, query: PageQuery): Promise<Rows<Operator>> {
      const { count, rows } = await repository.list(filter, windowOf(query, columns))
      return { count, rows: rows.map(toOperator) }
    },

    async create({ username: typed, role, password }: OperatorInput, actor: Actor): Promise<OperatorRow> {
      const username = normaliseUsername(typed)
      await requireStrongPassword(password, username)
      const passwordHash = await passwords.hash(password)
      return database.write(async () => {
        if (await repository.findByTypedName(username)) {
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
      expectedVersion?: SeenVersions,
    ): Promise<OperatorRow> {
      const { role, isActive, password } = input
      // Checked before hashing as well, which takes half a second.
      const before = await get(id)
      requireVersion(before, expectedVersion)
      if (password === undefined) return save(id, { role, isActive }, actor, { expectedVersion })
      await requireStrongPassword(password, before.username)
      const passwordHash = await passwords.hash(password)
      return save(id, { role, isActive, passwordHash }, actor, { expectedVersion })
    },

    /**
     * An operator replaces their own password. All their other sign-ins end. A wrong current password counts as a failed
     * sign-in.
     * @param signInId the sign-in that asks, which goes on
     */
    async changeOwnPassword(
      { currentPassword, newPassword }: OwnPasswordInput,
      actor: Actor,
      ip: string,
      signInId: string | undefined,
    ): Promise<Result<void>> {
      const operator = await get(actor.id)
      const attempt = { username: operator.username, operator, password: currentPassword, ip }
      const judged = await passwordCheck.judge(attempt)
      if (!judged.ok) return judged
      if (!judged.value) {
        await database.write(() => passwordCheck.countFailure(attempt))
        const errors = [{ pointer: '/currentPassword', message: errorTable['wrong-password'].title }]
        return failure('wrong-password', { errors })
      }
      await requireStrongPassword(newPassword, operator.username, '/newPassword')
      const passwordHash = await passwords.hash(newPassword)
      const { version } = operator
      return database.write(async () => {
        await save(operator.id, { passwordHash }, actor, {
          expectedVersion: [version],
          keptSignInId: signInId,
        })
        await passwordCheck.noteSuccess(attempt, operator.id)
        return success(undefined)
      })
    },

    /** Operators are never removed, since the journal names them: deleting one disables them for good. */
    async disable(id: string, actor: Actor, expectedVersion?: SeenVersions): Promise<void> {
      await save(id, { isActive: false }, actor, { expectedVersion })
    },
  }
}

export function toOperator({ id, username, role, isActive, createdAtMs }: OperatorRow): Operator {
  return { id, username, role, isActive, createdAt: instantOf(createdAtMs) }
}
