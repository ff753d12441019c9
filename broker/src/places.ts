import { readFileSync } from 'node:fs'

export interface PlaceLimits {
  /** For one group, such as one address. */
  perGroup: number
  /** For all groups together; without it only the groups are limited. */
  total?: number
}

export interface Places {
  /**
   * Takes a place in a group.
   * @param end gives up what holds the place, should another need it
   * @returns what leaves the place; undefined where the group has none left
   */
  take(group: string, end?: () => void): (() => void) | undefined
}

/**
 * A limited number of places. One group can fill its own places alone. Where all places are taken, the oldest holder
 * in the group with the most of them gives way, so that a new group always gets in.
 * @param onLimit called with the group each time a holder is refused or displaced
 */
export function createPlaces(
  limits: PlaceLimits,
  onLimit: (group: string) => void = () => undefined,
): Places {
  const { perGroup, total = Number.POSITIVE_INFINITY } = limits
  const byGroup = new Map<string, Set<{ end: () => void }>>()
  let count = 0

  function largest(): string {
    let found = ''
    let most = 0
    for (const [group, { size }] of byGroup) if (size > most) [found, most] = [group, size]
    return found
  }

  return {
    take(group, end = () => undefined) {
      if ((byGroup.get(group)?.size ?? 0) >= perGroup) {
        onLimit(group)
        return undefined
      }
      if (count >= total) {
        const other = largest()
        const [oldest] = byGroup.get(other) ?? []
        onLimit(other)
        oldest?.end()
      }
      const holder = { end: giveWay }
      const own = byGroup.get(group) ?? new Set()
      byGroup.set(group, own.add(holder))
      count += 1

      function leave() {
        if (!own.delete(holder)) return
        count -= 1
        if (own.size === 0 && byGroup.get(group) === own) byGroup.delete(group)
      }
      function giveWay() {
        leave()
        end()
      }
      return leave
    },
  }
}

const USUAL_OPEN_FILES = 1_024

/** Limits for connections that have not said who they are: they leave files for everybody else. */
export function placesForUnknown(openFiles: number = maxOpenFiles()): Required<PlaceLimits> {
  return {
    perGroup: Math.max(8, Math.min(512, Math.floor(openFiles / 8))),
    total: Math.max(16, Math.min(2_048, Math.floor(openFiles / 4))),
  }
}

/** How many files and sockets this process may have open. */
export function maxOpenFiles(): number {
  try {
    const found = /^Max open files\s+(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8'))?.[1]
    return found === undefined ? USUAL_OPEN_FILES : Number(found)
  } catch {
    return USUAL_OPEN_FILES
  }
}
