import type { AccountInput, AccountReplacement, Actor, OperatorRole } from '@escale/protocol'
import type { AccountRow } from '../../db/rows.ts'
import { invalidField } from '../../errors.ts'
import type { SeenVersions } from '../../db/versions.ts'
import { drawSecret, hashSecret, isSecret } from '../../crypto/secrets.ts'
import type { BasePorts } from '../base-ports.ts'
import type { Usernames } from '../usernames/index.ts'
import type { AccountRepository } from './repository.ts'

export interface AccountServicePorts extends BasePorts {
  repository: AccountRepository
  usernames: Usernames
}

/** An account just created or renewed, with its secret: it is shown this once and kept as a hash. */
export interface DrawnSecret {
  account: AccountRow
  secret: string
}

export type AccountService = ReturnType<typeof createAccountService>

/** Logins of machines. */
export function createAccountService(ports: AccountServicePorts) {
  const { database, repository, usernames, journal, clock } = ports

  /** Changes an account. Every server closes its connections when it finds the record in the journal. */
  function change(
    id: string,
    action: 'account.updated' | 'account.secret_renewed',
    changed: (before: AccountRow) => Partial<AccountRow>,
    actor: Actor,
    expectedVersion?: SeenVersions,
  ): Promise<AccountRow> {
    return database.write(async () => {
      const before = await repository.get(id, expectedVersion)
      const next = { version: before.version + 1, updatedAtMs: clock.nowMs() }
      const row: AccountRow = { ...before, ...changed(before), ...next }
      await repository.update(row)
      const { role, isActive } = row
      await journal.append({ action, actor, details: { accountId: id, role, isActive } })
      return row
    })
  }

  return {
    get: repository.get,
    list: repository.list,

    create({ id, kind, label, role }: AccountInput, actor: Actor): Promise<DrawnSecret> {
      requireFittingRole(kind, role)
      return database.write(async () => {
        await usernames.requireFree(id)
        const secret = drawSecret()
        const nowMs = clock.nowMs()
        const account: AccountRow = {
          id,
          kind,
          label,
          role: role ?? null,
          isActive: true,
          secretHash: hashSecret(secret),
          version: 1,
          createdAtMs: nowMs,
          updatedAtMs: nowMs,
        }
        await repository.insert(account)
        await journal.append({ action: 'account.created', actor, details: { accountId: id, kind, role } })
        return { account, secret }
      })
    },

    replace(
      id: string,
      { label, role, isActive }: AccountReplacement,
      actor: Actor,
      expectedVersion?: SeenVersions,
    ): Promise<AccountRow> {
      const changed = ({ kind }: AccountRow) => {
        requireFittingRole(kind, role)
        return { label, role: role ?? null, isActive }
      }
      return change(id, 'account.updated', changed, actor, expectedVersion)
    },

    setActive: (id: string, isActive: boolean, actor: Actor) =>
      change(id, 'account.updated', () => ({ isActive }), actor),

    /** Draws another secret. The old one is invalid at once, since it may have been lost or stolen. */
    async renewSecret(id: string, actor: Actor, expectedVersion?: SeenVersions): Promise<DrawnSecret> {
      const secret = drawSecret()
      const drawn = () => ({ secretHash: hashSecret(secret) })
      return { account: await change(id, 'account.secret_renewed', drawn, actor, expectedVersion), secret }
    },

    remove(id: string, actor: Actor, expectedVersion?: SeenVersions): Promise<void> {
      return database.write(async () => {
        await repository.get(id, expectedVersion)
        await repository.remove(id)
        await journal.append({ action: 'account.deleted', actor, details: { accountId: id } })
      })
    },

    /** The account behind credentials; undefined when they are wrong, or it is disabled. */
    async authenticate(id: string, secret: string): Promise<AccountRow | undefined> {
      const account = await repository.find(id)
      return account?.isActive && isSecret(secret, account.secretHash) ? account : undefined
    },

    /** The account with its role; undefined when it is disabled, or has none. */
    async authorised(id: string): Promise<(AccountRow & { role: OperatorRole }) | undefined> {
      const account = await repository.find(id)
      return account?.isActive && account.role !== null ? { ...account, role: account.role } : undefined
    },

    /** Account id -> hashes of its valid secrets; disabled accounts are left out. */
    async liveSecrets(ids: string[]): Promise<Map<string, string[]>> {
      const active = (await repository.findSeveral(ids)).filter(({ isActive }) => isActive)
      return new Map(active.map(({ id, secretHash }) => [id, [secretHash]]))
    },
  }
}

/** Automations have a role, and no other account has. @throws AppError naming the field */
function requireFittingRole(kind: AccountRow['kind'], role: AccountInput['role']): void {
  if ((kind === 'automation') === (role !== undefined)) return
  const message =
    kind === 'automation'
      ? { fr: 'Choisissez ce que ce compte peut demander.', en: 'Choose what this account may ask for.' }
      : { fr: 'Ce genre de compte n’a pas de rôle.', en: 'An account of this kind has no role.' }
  throw invalidField('/role', message)
}
