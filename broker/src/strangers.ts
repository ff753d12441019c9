import { readFileSync } from 'node:fs'
import { addressGroupOf } from '@escale/protocol'

/** How many connections may be open that nobody has logged in on. */
export interface StrangerLimits {
  /** From one address, IPv6 by /64. */
  perAddress: number
  total: number
}

export interface Strangers {
  /**
   * Counts a connection until it is known or closed.
   * @param end closes it, should its place be needed
   * @returns what is to be called then; undefined where its address has too many already
   */
  admit(ip: string, end: () => void): (() => void) | undefined
}

/**
 * Limits connections that have said nothing yet. One address can fill its own places alone; where all are taken, the
 * oldest connection of the address with the most of them gives way, so that a newcomer always gets in.
 * @param onLimit told of each connection that is turned away or gives way
 */
export function createStrangers(limits: StrangerLimits, onLimit: (address: string) => void): Strangers {
  const byAddress = new Map<string, Set<{ end: () => void }>>()
  let count = 0

  function largest(): string {
    let found = ''
    let most = 0
    for (const [address, { size }] of byAddress) if (size > most) [found, most] = [address, size]
    return found
  }

  return {
    admit(ip, end) {
      const address = addressGroupOf(ip)
      if ((byAddress.get(address)?.size ?? 0) >= limits.perAddress) {
        onLimit(address)
        return undefined
      }
      if (count >= limits.total) {
        const other = largest()
        const [oldest] = byAddress.get(other) ?? []
        onLimit(other)
        oldest?.end()
      }
      const stranger = { end: leaveFirst }
      const own = byAddress.get(address) ?? new Set()
      byAddress.set(address, own.add(stranger))
      count += 1

      function leave() {
        if (!own.delete(stranger)) return
        count -= 1
        if (own.size === 0 && byAddress.get(address) === own) byAddress.delete(address)
      }
      function leaveFirst() {
        leave()
        end()
      }
      return leave
    },
  }
}

const USUAL_OPEN_FILES = 1_024

/** Limits that leave room for everybody else among the files that this process may open. */
export function strangerLimits(openFiles: number = maxOpenFiles()): StrangerLimits {
  return {
    perAddress: Math.max(8, Math.min(512, Math.floor(openFiles / 8))),
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
