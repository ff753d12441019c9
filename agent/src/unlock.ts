import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { SettingsError } from './settings-error.ts'

const AGENT = 'escale-agent.service'
/** A terminal with a login prompt, beside those of the lock (7) and of the visitor (8). */
const CONSOLE = 9
const SHOW_TERMINAL = '/usr/libexec/escale-agent/show-terminal'
const LIMIT_MS = 20_000

const run = promisify(execFile)

export interface UnlockOptions {
  platform: NodeJS.Platform
  isRoot: boolean
  /** The phase that the running agent tells; undefined if none answers. */
  phase?: string
  /** The station has a lock with a terminal of its own, which stays shown when the agent ends. */
  hasSeatLock: boolean
  /** systemctl(1) and the program of agent/seat. */
  programs?: { systemctl: string; showTerminal: string }
}

/**
 * A technician's way out, at the station and without the server: stops the agent, and shows a console with the keys free
 * to change terminals. Starting the agent locks the station again.
 * @returns what to do next
 * @throws SettingsError
 */
export async function unlock(options: UnlockOptions): Promise<string> {
  const { systemctl, showTerminal } = options.programs ?? {
    systemctl: 'systemctl',
    showTerminal: SHOW_TERMINAL,
  }
  checkAllowed(options)
  await act(systemctl, ['stop', AGENT])
  if (options.hasSeatLock) {
    await act(systemctl, ['start', `getty@tty${CONSOLE}.service`])
    await act(showTerminal, ['--free', String(CONSOLE)])
  }
  return `le poste est déverrouillé\u202f; pour le verrouiller\u00a0: systemctl start ${AGENT} · the station is unlocked; to lock it: systemctl start ${AGENT}`
}

function checkAllowed({ platform, isRoot, phase }: UnlockOptions): void {
  if (platform !== 'linux') {
    throw refused('unlock n’existe que sous Linux.', 'unlock exists on Linux only.')
  }
  if (!isRoot) {
    throw new SettingsError(
      'unlock demande root\u00a0: sudo escale-agent unlock.',
      'unlock needs root: sudo escale-agent unlock.',
      'not-root',
    )
  }
  if (phase === 'active' || phase === 'suspended') {
    throw refused(
      'une session est ouverte sur ce poste\u00a0: terminez-la d’abord depuis l’accueil.',
      'a session is open on this station: end it at the desk first.',
    )
  }
}

async function act(program: string, args: string[]): Promise<void> {
  await run(program, args, { timeout: LIMIT_MS }).catch((err: unknown) => {
    const said = ((err as { stderr?: string }).stderr ?? '').trim() || String(err)
    throw refused(
      `le poste n’est pas déverrouillé\u00a0: ${program} ${args.join(' ')} a échoué (${said}). Un agent lancé à la main s’arrête par Ctrl-C.`,
      `the station is not unlocked: ${program} ${args.join(' ')} failed (${said}). An agent that was started by hand is stopped with Ctrl-C.`,
    )
  })
}

const refused = (french: string, english: string) => new SettingsError(french, english, 'unlock-refused')
