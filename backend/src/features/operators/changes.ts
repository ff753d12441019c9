import type { Actor } from '@escale/protocol'
import type { Database } from '../../db/database.ts'
import type { OperatorRow } from '../../db/rows.ts'
import { requireVersion, type SeenVersions } from '../../db/versions.ts'
import { AppError } from '../../errors.ts'
import type { SignIns } from '../auth/index.ts'
import type { Journal } from '../logs/index.ts'
import type { OperatorRepository } from './repository.ts'

export interface OperatorChangePorts {
  database: Database
  repository: OperatorRepository
  signIns: Pick<SignIns, 'endAllOf'>
  journal: Journal
}

/** Changes of an operator, each with a record in the journal. */
export function createOperatorChanges({ database, repository, signIns, journal }: OperatorChangePorts) {
  async function get(id: string): Promise<OperatorRow> {
    const row = await repository.find(id)
    if (!row) throw new AppError('not-found')
    return row
  }

  /** At least one admin must be able to sign in. */
  async function requireAnotherAdmin(
    before: OperatorRow,
    after: Pick<OperatorRow, 'role' | 'isActive'>,
  ): Promise<void> {
    const isAdmin = (row: Pick<OperatorRow, 'role' | 'isActive'>) => row.role === 'admin' && row.isActive
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
    { expectedVersion, keptSignInId }: { expectedVersion?: SeenVersions; keptSignInId?: string } = {},
  ): Promise<OperatorRow> {
    return database.write(async () => {
      const before = await get(id)
      requireVersion(before, expectedVersion)
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

  return { get, save }
}
