import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { networkInterfaces } from 'node:os'
import { join } from 'node:path'
import { isIdentifyingMac, normaliseMac } from '@escale/protocol'
import { uuid } from 'systeminformation'

/** What tells one machine from another, as far as it can be read. */
export interface MachineMarks {
  /** Of the installed system: copied with the disk. */
  system?: string
  /** Of the main board. */
  hardware?: string
  /** Of the cards that are built in, whether they are in use or not. */
  macs: string[]
  /** Given by whoever started the agent: it says which machine this is. */
  givenMac?: string
}

const CARDS = '/sys/class/net'
/** What makers write where they should have drawn a number. */
const NOT_DRAWN = /^(.)\1*$|^03000200040005000006000700080009$|^123456781234567890abcddeefaabbcc$/

export async function readMarks(): Promise<MachineMarks> {
  const { os, hardware } = await uuid()
  return { system: drawn(os), hardware: drawn(hardware), macs: builtInMacs() }
}

/**
 * Whether marks that were written down are of this machine. A board or a card in common is enough, so that either may
 * be replaced; the system's own mark alone is not, since it is copied with the disk. Without anything to compare it is.
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

function drawn(mark: string): string | undefined {
  const digits = mark.toLowerCase().replace(/[^0-9a-z]/g, '')
  return digits === '' || NOT_DRAWN.test(digits) ? undefined : digits
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
