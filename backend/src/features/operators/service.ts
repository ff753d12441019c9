import { randomUUID } from 'node:crypto'
import {
  errorTable,
  normaliseUsername,
  type Actor,
  type OperatorInput,
  type OperatorReplacement,
  type OwnPasswordInput,
} from '@escale/protocol'
import type { Passwords } from '../../crypto/passwords.ts'
import type { OperatorRow } from '../../db/rows.ts'
import type { SeenVersions } from '../../db/versions.ts'
import { AppError, failure, success, type Result } from '../../errors.ts'
import type { BasePorts } from '../base-ports.ts'
import type { PasswordCheck, SignIns } from '../auth/index.ts'
import { requireStrongPassword } from './password-strength.ts'
import type { OperatorRepository } from './repository.ts'

export interface OperatorServicePorts extends BasePorts {
  repository: OperatorRepository
  signIns: Pick<SignIns, 'endAllOf'>
  passwords: Pick<Passwords, 'hash'>
  passwordCheck: PasswordCheck
}

export type OperatorService = ReturnType<typeof createOperatorService>

/** The staff: who may sign in, and with which role. */
export function createOperatorService(ports: OperatorServicePorts) {
  const { database, repository, signIns, passwords, passwordCheck, journal, clock } = ports

  /** At least one admin must be able to sign in. */
  async function requireAnotherAdmin(before: OperatorRow, after: OperatorRow): Promise<void> {
    const isAdmin = ({ role, isActive }: OperatorRow) => role === 'admin' && isActive
    if (!isAdmin(before) || isAdmin(after)) return
    if ((await repository.count({ role: 'admin', isActive: true })) <= 1) throw new AppError('last-admin')
  }

  /**
   * Changes an operator, and ends their sign-ins.
   * @param options.keptSignInId the sign-in that goes on
   */
  function save(
    id: string,
    changed: Partial<Pick<OperatorRow, 'role' | 'isActive' | 'passwordHash'>>,
    actor: Actor,
    { expectedVersion, keptSignInId }: { expectedVersion?: SeenVersions; keptSignInId?: string },
  ): Promise<OperatorRow> {
    return database.write(async () => {
      const before = await repository.get(id, expectedVersion)
      const row: OperatorRow = { ...before, ...changed, version: before.version + 1 }
      await requireAnotherAdmin(before, row)
      await repository.update(row)
      const { role, isActive } = row
      const hasNewPassword = changed.passwordHash !== undefined
      const details = { operatorId: id, role, isActive, hasNewPassword }
      await journal.append({ action: 'operator.updated', actor, details })
      await signIns.endAllOf(id, { keptId: keptSignInId, hasNewPassword })
      return row
    })
  }

  return {
    get: repository.get,
    find: repository.find,
    findByTypedName: repository.findByTypedName,
    findAll: repository.findAll,
    list: repository.list,

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

    async create({ username: typed, role, password }: OperatorInput, actor: Actor): Promise<OperatorRow> {
      const username = normaliseUsername(typed)
      await requireStrongPassword(password, username)
      const passwordHash = await passwords.hash(password)
      return database.write(async () => {
        if (await repository.findByTypedName(username)) {
          const message = { fr: 'Cet identifiant est déjà pris.', en: 'This username is already taken.' }
          throw new AppError('duplicate', { errors: [{ pointer: '/username', message }] })
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
      const before = await repository.get(id, expectedVersion)
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
      const operator = await repository.get(actor.id)
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
