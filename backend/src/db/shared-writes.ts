import { AppError } from '../errors.ts'
import { createBatchedWrites, type Write } from './batched-writes.ts'

/** With more writes, the work after their commit would block the process for long. */
const AT_MOST = 32

interface Member {
  work: () => Promise<unknown>
  outcome?: { value: unknown } | { err: unknown }
}

/**
 * Runs writes one after the other; several share one transaction. A write that is refused before it changed anything is
 * left out. After any other failure the transaction is rolled back and each write is repeated alone. So a failing write
 * does not affect the others, and no caller is answered before the commit.
 * @param turn waits until no other write is running
 * @param commit runs work in one transaction
 * @param changeCount a counter that increases with each change
 */
export function createSharedWrites(ports: {
  turn: Write
  commit<T>(work: () => Promise<T>, options?: { isShared: boolean }): Promise<T>
  changeCount(): number
}): Write {
  const { turn, commit, changeCount } = ports

  async function runInside(member: Member): Promise<void> {
    const before = changeCount()
    try {
      member.outcome = { value: await member.work() }
    } catch (err) {
      if (!(err instanceof AppError) || changeCount() !== before) throw err
      member.outcome = { err }
    }
  }

  async function runAlone(member: Member): Promise<void> {
    try {
      member.outcome = { value: await commit(member.work) }
    } catch (err) {
      member.outcome = { err }
    }
  }

  async function runAll(members: readonly Member[]): Promise<void> {
    const inTurn = async (run: (member: Member) => Promise<void>) => {
      for (const member of members) await run(member)
    }
    if (members.length === 1) return inTurn(runAlone)
    try {
      await commit(() => inTurn(runInside), { isShared: true })
    } catch (err) {
      // This failure affects every write. After a lost connection, they may even be committed.
      if (err instanceof AppError && err.code === 'storage-unavailable') throw err
      await inTurn(runAlone)
    }
  }

  const { add } = createBatchedWrites<Member>({ write: turn }, runAll, { atMost: AT_MOST })

  return async <T>(work: () => Promise<T>): Promise<T> => {
    const member: Member = { work }
    await add(member)
    if (!member.outcome || 'err' in member.outcome) throw member.outcome?.err
    return member.outcome.value as T
  }
}
