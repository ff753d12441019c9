import { printable } from '@escale/protocol'

/** Shows control characters instead of printing them: in text that others wrote, they could command the terminal. */
const shown = (text: string) => text.split('\n').map(printable).join('\n')

/** Prints the answer of a command. */
export function say(text: string): void {
  process.stdout.write(`${shown(text)}\n`)
}

/** Prints why a command cannot do its work. */
export function complain(text: string): void {
  process.stderr.write(`${shown(text)}\n`)
}
