import { printable } from '@escale/protocol'

/** Text that others wrote may hold what a terminal takes for an order, or turns the line around by: it is shown instead. */
const shown = (text: string) => text.split('\n').map(printable).join('\n')

/** Prints to whoever asked. */
export function say(text: string): void {
  process.stdout.write(`${shown(text)}\n`)
}

/** Prints what keeps a command from doing what it was asked. */
export function complain(text: string): void {
  process.stderr.write(`${shown(text)}\n`)
}
