import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { mkdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { dirname, join, resolve } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { SettingsError } from './settings-error.ts'

/**
 * Creates the agent's data folder, which only its user may read, and checks that it can write there.
 * @throws SettingsError when the folder cannot be created or written
 */
export function makeDataDir(dataDir: string): void {
  try {
    makeFolder(resolve(dataDir))
    const probe = join(dataDir, '.probe')
    writeFileSync(probe, '')
    rmSync(probe)
  } catch (err) {
    throw notUsable(dataDir, err)
  }
}

/** An agent that stops takes no longer than this to give up its data folder. */
const PREDECESSOR_MS = 3_000

/**
 * Makes this process the only agent of a data folder, for as long as it runs: it listens on a socket in the folder,
 * which answers no longer when the process ends in any way.
 * @throws SettingsError when another agent runs there
 */
export async function claimDataDir(dataDir: string): Promise<void> {
  const path = socketOf(resolve(dataDir))
  const untilMs = performance.now() + PREDECESSOR_MS
  while (!(await listensAt(path))) {
    if (!(await isAnswered(path))) rmSync(path, { force: true })
    else if (performance.now() < untilMs) await pause(100)
    else
      throw new SettingsError(
        `un agent tourne déjà avec le dossier ${dataDir}\u00a0: arrêtez-le d’abord, ou donnez à celui-ci un autre --data-dir.`,
        `an agent already runs with the folder ${dataDir}: stop it first, or give this one another --data-dir.`,
        'agent-running',
      )
  }
}

/** Windows has named pipes instead of sockets in folders. */
function socketOf(folder: string): string {
  if (process.platform !== 'win32') return join(folder, 'agent.sock')
  return `\\\\.\\pipe\\escale-agent-${createHash('sha256').update(folder).digest('hex').slice(0, 16)}`
}

/** Whether this process now listens there. False if the path is taken, perhaps by a process that has ended. */
async function listensAt(path: string): Promise<boolean> {
  const server = createServer((socket) => socket.destroy()).unref()
  try {
    await once(server.listen(path), 'listening')
    return true
  } catch (err) {
    if ((err as NodeJS.ErrnoException).code === 'EADDRINUSE') return false
    throw notUsable(path, err)
  }
}

/** Only a refusal shows that nobody listens any more: an agent that is busy keeps its folder. */
async function isAnswered(path: string): Promise<boolean> {
  const socket = connect(path)
  try {
    await once(socket, 'connect')
    return true
  } catch (err) {
    const { code = '' } = err as NodeJS.ErrnoException
    return code !== 'ECONNREFUSED' && code !== 'ENOENT'
  } finally {
    socket.destroy()
  }
}

function notUsable(path: string, err: unknown): SettingsError {
  const code = (err as NodeJS.ErrnoException).code ?? String(err)
  return new SettingsError(
    `le dossier de données ${path} ne peut pas être créé ou écrit (${code})\u00a0: donnez-en le droit à l’utilisateur de l’agent, ou choisissez un autre dossier avec --data-dir.`,
    `the data folder ${path} cannot be made or written (${code}): let the agent’s user write there, or choose another with --data-dir.`,
    'data-folder',
  )
}

/** One folder at a time: Node's recursive `mkdir` never returns where a parent cannot hold folders, such as /proc. */
function makeFolder(path: string): void {
  const isThere = statSync(path, { throwIfNoEntry: false })?.isDirectory() === true
  if (isThere) return
  if (dirname(path) !== path) makeFolder(dirname(path))
  mkdirSync(path, { mode: 0o700 })
}
