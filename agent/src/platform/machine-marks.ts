import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { networkInterfaces } from 'node:os'
import { join } from 'node:path'
import { isIdentifyingMac, normaliseMac } from '@escale/protocol'
import { uuid } from 'systeminformation'

/** Identifiers of a machine, as far as they can be read. */
export interface MachineMarks {
  /** Id of the installed system. It is copied with the disk. */
  system?: string
  /** Id of the main board. */
  hardware?: string
  /** MAC addresses of the built-in network cards, in use or not. */
  macs: string[]
  /** MAC address in the agent's settings. It decides alone which machine this is. */
  givenMac?: string
}

const CARDS = '/sys/class/net'
/** Placeholders that some manufacturers leave instead of a unique id. */
const PLACEHOLDER = /^(.)\1*$|^03000200040005000006000700080009$|^123456781234567890abcddeefaabbcc$/

export async function readMarks(): Promise<MachineMarks> {
  const { os, hardware } = await uuid()
  return { system: uniqueId(os), hardware: uniqueId(hardware), macs: builtInMacs() }
}

/**
 * Whether saved identifiers belong to this machine. The same board or one common card is enough, so that either may be
 * replaced. The system's id is not used, because it is copied with the disk. With nothing to compare, the answer is yes.
 */
export function isSameMachine(saved: MachineMarks, now: MachineMarks): boolean {
  if (saved.givenMac !== undefined && now.givenMac !== undefined) return saved.givenMac === now.givenMac
  const known = [saved.givenMac, ...saved.macs].filter((mac) => mac !== undefined)
  const present = [now.givenMac, ...now.macs].filter((mac) => mac !== undefined)
  if (present.some((mac) => known.includes(mac))) return true
  const isBoardKnown = saved.hardware !== undefined && now.hardware !== undefined
  if (isBoardKnown) return saved.hardware === now.hardware
  return known.length === 0 || present.length === 0
}

function uniqueId(mark: string): string | undefined {
  const digits = mark.toLowerCase().replace(/[^0-9a-z]/g, '')
  return digits === '' || PLACEHOLDER.test(digits) ? undefined : digits
}

function builtInMacs(): string[] {
  const found = existsSync(CARDS)
    ? readdirSync(CARDS)
        .filter((name) => existsSync(join(CARDS, name, 'device')))
        .map((name) => readFileSync(join(CARDS, name, 'address'), 'utf8'))
    : Object.values(networkInterfaces()).flatMap((list = []) => list.map(({ mac }) => mac))
  const macs = found.flatMap((mac) => normaliseMac(mac) ?? []).filter(isIdentifyingMac)
  return [...new Set(macs)].sort()
}
