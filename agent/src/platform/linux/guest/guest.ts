import { mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import type { CleanedDetails } from '@escale/protocol'
import { prepareAccount, type GuestAccount } from './account.ts'
import { filesIn } from './files.ts'
import { forget } from './forgetting.ts'
import { homeFiles, isHomeMounted, makeHome } from './home.ts'
import { createHostTools, type HostTools } from './host-tools.ts'
import { ipcObjects, messageQueues } from './ipc.ts'
import type { Leftovers } from './leftovers.ts'
import { guestLogins, runtimeFiles } from './logins.ts'
import { guestMounts } from './mounts.ts'
import { savedNetworks } from './networks.ts'
import { printJobs } from './printing.ts'
import { guestProcesses } from './processes.ts'

/** Whose home is there. It is gone after a reboot, like the home itself. */
const MARK_FILE = '/run/escale-agent/guest-session'
/** What the mark says after a cleaning that found nothing more. */
const CLEAN = 'clean'
/** What it says until the home is complete. */
const MAKING = 'making'

export interface Guest {
  account: GuestAccount
  /** Makes a fresh home for a session. The home of the same session is kept, for example after a suspension. */
  open: (signal: AbortSignal, sessionId: string) => Promise<void>
  /** Removes everything of the guest, and looks whether it is gone. */
  clean: (signal: AbortSignal) => Promise<CleanedDetails>
}

/**
 * The account of the visitors on this machine.
 * @param endSession ends what would start the visitor's programs again
 * @throws SettingsError
 */
export async function createGuest(name: string, endSession?: () => Promise<void>): Promise<Guest> {
  const tools = await createHostTools()
  const account = await prepareAccount(name, tools)
  const sources = leftoversOf(account, tools)
  let last: Promise<unknown> = Promise.resolve()

  /** One at a time: an act that was given up may still wait for a program. */
  function inTurn<T>(signal: AbortSignal, work: () => Promise<T>): Promise<T> {
    const turn = last.then(() => {
      signal.throwIfAborted()
      return work()
    })
    last = turn.catch(() => undefined)
    return turn
  }

  async function clean(signal: AbortSignal): Promise<CleanedDetails> {
    await rm(MARK_FILE, { force: true })
    await endSession?.()
    const details = await forget(sources, signal)
    await mark(CLEAN)
    return details
  }

  async function open(signal: AbortSignal, sessionId: string): Promise<void> {
    const [known, isMounted] = [await readMark(), await isHomeMounted(account)]
    if (isMounted && known === sessionId) return
    if (isMounted || known !== CLEAN) await clean(signal)
    await mark(MAKING)
    await makeHome(account, tools, signal)
    await mark(sessionId)
  }

  return {
    account,
    open: (signal, sessionId) => inTurn(signal, () => open(signal, sessionId)),
    clean: (signal) => inTurn(signal, () => clean(signal)),
  }
}

/** In the order of their removal: what may make more of the others comes first. */
function leftoversOf(account: GuestAccount, tools: HostTools): Leftovers[] {
  const { name, uid } = account
  const owner = { uid }
  const dump = ['-path', `/var/lib/systemd/coredump/core.*.${uid}.*`]
  const ownLogs = ['-name', `user-${uid}.journal`, '-o', '-name', `user-${uid}@*.journal*`]
  const places = {
    schedules: ['/var/spool/cron', '/var/spool/at'],
    temporaryFiles: ['/tmp', '/var/tmp', '/run/lock', '/media', '/run/media'],
    crashDumps: ['/var/crash', '/var/lib/systemd/coredump'],
  }
  const named = ['-type', 'f', '-name', name]
  return [
    guestLogins(account, tools),
    guestProcesses(account, tools),
    filesIn({ kind: 'schedules', folders: places.schedules, owner, alsoNamed: named }, tools),
    printJobs(account, tools),
    guestMounts(account, tools),
    homeFiles(account, tools),
    filesIn({ kind: 'temporaryFiles', folders: places.temporaryFiles, owner }, tools),
    filesIn({ kind: 'sharedMemory', folders: ['/dev/shm'], owner }, tools),
    runtimeFiles(account, tools),
    ipcObjects(account, tools),
    messageQueues(account, tools),
    filesIn({ kind: 'mail', folders: ['/var/mail', '/var/spool/mail'], owner, alsoNamed: named }, tools),
    savedNetworks(account, tools),
    filesIn({ kind: 'crashDumps', folders: places.crashDumps, owner, alsoNamed: dump }, tools),
    filesIn({ kind: 'systemLogs', folders: ['/var/log/journal'], owner, alsoNamed: ownLogs }, tools),
  ]
}

const readMark = () => readFile(MARK_FILE, 'utf8').catch(() => undefined)

async function mark(text: string): Promise<void> {
  await mkdir(dirname(MARK_FILE), { recursive: true, mode: 0o700 })
  await writeFile(MARK_FILE, text, { mode: 0o600 })
}
