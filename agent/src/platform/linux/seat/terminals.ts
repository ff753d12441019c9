import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { promisify } from 'node:util'

/** Longer than the program limits itself, ms. */
const LIMIT_MS = 5_000
const SHOWN = '/sys/class/tty/tty0/active'

const run = promisify(execFile)

/** The virtual terminals of the machine, of which the kernel shows one. */
export interface Terminals {
  /** The number of the terminal that is shown. */
  shown: () => Promise<number>
  /**
   * Shows a terminal, and resolves once the kernel says so. Afterwards no key and no other program changes it. With
   * `isTaken`, the program on the terminal shown now cannot refuse to leave it.
   */
  show: (terminal: number, isTaken: boolean) => Promise<void>
}

/** `program` is the path of `show-terminal`. It needs the right to write to /dev/tty0, and CAP_SYS_TTY_CONFIG. */
export function createTerminals(program: string): Terminals {
  const shown = async (): Promise<number> => {
    const name = (await readFile(SHOWN, 'utf8')).trim()
    const number = /^tty(\d+)$/.exec(name)?.[1]
    if (number === undefined) throw new Error(`${SHOWN} names no terminal: ${name}`)
    return Number(number)
  }

  return {
    shown,
    show: async (terminal, isTaken) => {
      // It is never ended half-way: it would leave the change of terminals allowed.
      await run(program, [...(isTaken ? ['--take'] : []), String(terminal)], {
        timeout: LIMIT_MS,
        killSignal: 'SIGKILL',
      }).catch((err: unknown) => {
        const said = (err as { stderr?: string }).stderr?.trim()
        throw new Error(said || (err instanceof Error ? err.message : String(err)), { cause: err })
      })
      const now = await shown()
      if (now !== terminal)
        throw new Error(`terminal ${terminal} was asked for, and terminal ${now} is shown`)
    },
  }
}
