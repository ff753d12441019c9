import type { Database } from '../../db/database.ts'
import type { AnsweredRequestRow } from '../../db/rows.ts'

export type RequestRepository = ReturnType<typeof createRequestRepository>

export function createRequestRepository({ models: { answeredRequests }, scope }: Database) {
  return {
    async find(party: string, requestId: string): Promise<AnsweredRequestRow | undefined> {
      return (await answeredRequests.findOne({ where: { party, requestId }, ...scope() }))?.get()
    },
    async save(row: AnsweredRequestRow): Promise<void> {
      await answeredRequests.create(row, scope())
    },
  }
}
