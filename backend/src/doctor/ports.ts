import { once } from 'node:events'
import { readFileSync, readdirSync, readlinkSync } from 'node:fs'
import { createServer } from 'node:net'
import { basename } from 'node:path'
import { bad, good, reasonOf, type Finding } from './finding.ts'

const LISTENING = '0A'

/** Checks that a port is free, and says who uses it otherwise. Not for the ports of our own running server. */
export async function findPort(setting: string, host: string, port: number): Promise<Finding> {
  if (port === 0) return good(`${setting}\u00a0: n’importe quel port libre`, `${setting}: any free port`)
  try {
    const server = createServer()
    await once(server.listen({ host, port, exclusive: true }), 'listening')
    await once(server.close(), 'close')
    return good(`Port ${port} libre (${setting})`, `Port ${port} free (${setting})`)
  } catch (err) {
    if ((err as NodeJS.ErrnoException).code === 'EADDRINUSE') {
      const holder = holderOf(port)
      return bad(
        `Le port ${port} est pris par ${holder ?? 'un autre programme'}\u00a0: arrêtez-le ou changez ${setting}.`,
        `Port ${port} is taken by ${holder ?? 'another program'}: stop it or change ${setting}.`,
      )
    }
    return bad(
      `Le port ${port} de ${host} ne peut être ouvert (${reasonOf(err)})\u00a0: corrigez ESCALE_HOST ou ${setting}.`,
      `Port ${port} of ${host} cannot be opened (${reasonOf(err)}): correct ESCALE_HOST or ${setting}.`,
    )
  }
}

/** Name and number of the process that listens on a port; undefined when Linux does not show it to us. */
function holderOf(port: number): string | undefined {
  try {
    const inodes = new Set(['/proc/net/tcp', '/proc/net/tcp6'].flatMap((table) => listenersOn(port, table)))
    const isHolder = (pid: string) =>
      readdirSync(`/proc/${pid}/fd`).some((fd) =>
        orFalse(() => inodes.has(readlinkSync(`/proc/${pid}/fd/${fd}`))),
      )
    const pid = readdirSync('/proc').find((name) => /^\d+$/.test(name) && orFalse(() => isHolder(name)))
    const [program = '', script = ''] =
      pid === undefined ? [] : readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0')
    return pid && `${basename(program)} ${script} (${pid})`
  } catch {
    return undefined
  }
}

function listenersOn(port: number, table: string): string[] {
  const wanted = port.toString(16).toUpperCase().padStart(4, '0')
  return readFileSync(table, 'utf8')
    .split('\n')
    .map((line) => line.trim().split(/\s+/))
    .filter(([, local, , state]) => state === LISTENING && local?.split(':')[1] === wanted)
    .map((columns) => `socket:[${columns[9] ?? ''}]`)
}

/** False when the process has ended or closed the file meanwhile, or belongs to another user. */
const orFalse = (ask: () => boolean) => {
  try {
    return ask()
  } catch {
    return false
  }
}
