import type { ReportKind } from '@escale/protocol'
import { SMALLEST_CELL_PERSONS } from '../../domain/statistics.ts'

type Row = Record<string, unknown>

/** Fields of details with free text, which records of earlier releases still have. */
const TEXT_FIELDS = ['reason', 'error', 'hostname', 'result']

/**
 * Removes from rows what identifies a person. Sessions lose the id of the user, and the profile when fewer than five
 * persons in these rows share it. Records of the journal lose the id of the user, the address and free texts.
 * @param rows read twice: first to count how many persons share a profile
 */
export async function* anonymousRows(
  kind: ReportKind,
  rows: () => AsyncIterable<object>,
): AsyncGenerator<object> {
  if (kind === 'logs') {
    for await (const row of rows()) yield anonymousLog(row as Row)
    return
  }
  const groups = await groupsIn(rows())
  for await (const row of rows()) {
    const { userId: _userId, ageBand, sex, municipality, occupation, ...session } = row as Row
    const profiles = [
      { ageBand, sex, municipality, occupation },
      { ageBand, sex },
    ]
    const shared = profiles.find(
      (profile) => (groups.get(keyOf(profile))?.size ?? 0) >= SMALLEST_CELL_PERSONS,
    )
    yield { ...session, ...shared }
  }
}

/** Persons by profile, and by age and sex alone; of each group no more persons than the limit needs. */
async function groupsIn(rows: AsyncIterable<object>): Promise<Map<string, Set<unknown>>> {
  const groups = new Map<string, Set<unknown>>()
  for await (const row of rows) {
    const { id, userId = id, ageBand, sex, municipality, occupation } = row as Row
    for (const profile of [
      { ageBand, sex, municipality, occupation },
      { ageBand, sex },
    ]) {
      const key = keyOf(profile)
      const persons = groups.get(key) ?? new Set()
      if (persons.size < SMALLEST_CELL_PERSONS) groups.set(key, persons.add(userId))
    }
  }
  return groups
}

const keyOf = (profile: Row) => JSON.stringify([Object.keys(profile).length, ...Object.values(profile)])

function anonymousLog({ userId: _userId, ip: _ip, details, ...row }: Row): object {
  const said = JSON.parse(String(details)) as Row
  const kept =
    row['action'] === 'station.fault_reported'
      ? {}
      : Object.fromEntries(Object.entries(said).filter(([name]) => !TEXT_FIELDS.includes(name)))
  return { ...row, details: JSON.stringify(kept) }
}
