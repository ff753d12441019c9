import { readFile } from 'node:fs/promises'

const SHOWN = '/sys/class/tty/tty0/active'

/** The number of the virtual terminal that the kernel shows. */
export async function shownTerminal(): Promise<number> {
  const name = (await readFile(SHOWN, 'utf8')).trim()
  const number = /^tty(\d+)$/.exec(name)?.[1]
  if (number === undefined) throw new Error(`${SHOWN} names no terminal: ${name}`)
  return Number(number)
}
