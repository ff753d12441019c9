import { execFile, type ExecFileOptions } from 'node:child_process'
import { access, constants, readlink } from 'node:fs/promises'
import { join } from 'node:path'
import { SettingsError } from '../../../settings-error.ts'

const PROGRAM_FOLDERS = ['/usr/sbin', '/usr/bin', '/sbin', '/bin']
const MAX_OUTPUT_BYTES = 64 * 1024 * 1024
const DEFAULT_LIMIT_MS = 10_000

export interface ToolOptions {
  signal?: AbortSignal
  /** Runs the program as this user, with no other groups. */
  as?: { uid: number; gid: number }
  limitMs?: number
}

export interface ToolResult {
  code: number
  stdout: string
  stderr: string
}

/** Programs of the system, and its files as the guest sees them. */
export type HostTools = Awaited<ReturnType<typeof createHostTools>>

/**
 * A service may have its own view of the file systems (`PrivateTmp=`, `ProtectHome=`). The guest has the view of process
 * 1, so the programs run there. Source: nsenter(1), systemd.exec(5).
 * @throws SettingsError
 */
export async function createHostTools() {
  if (process.getuid?.() !== 0) {
    throw new SettingsError(
      `--guest-user demande que l’agent soit lancé par root\u00a0: lancez-le comme service, ou retirez ce réglage.`,
      `--guest-user needs an agent that runs as root: run it as a service, or remove this setting.`,
    )
  }
  const [own, first] = await Promise.all(['self', '1'].map(viewOf))
  const isOwnView = own !== first
  const entering = isOwnView ? ['/usr/bin/nsenter', '--mount=/proc/1/ns/mnt', '--'] : []
  const path = (hostPath: string) => (isOwnView ? join('/proc/1/root', hostPath) : hostPath)

  function attempt(program: string, args: readonly string[], options: ToolOptions = {}): Promise<ToolResult> {
    const { signal, as, limitMs = DEFAULT_LIMIT_MS } = options
    const dropping =
      as === undefined ? [] : ['/usr/bin/setpriv', `--reuid=${as.uid}`, `--regid=${as.gid}`, '--clear-groups']
    const [file = program, ...rest] = [...entering, ...dropping, program, ...args]
    const execution: ExecFileOptions = {
      ...{ cwd: '/', maxBuffer: MAX_OUTPUT_BYTES, timeout: limitMs, killSignal: 'SIGKILL' },
      env: { PATH: PROGRAM_FOLDERS.join(':'), LC_ALL: 'C' },
      ...(signal && { signal }),
    }
    return new Promise((resolve, reject) => {
      execFile(file, rest, execution, (err, stdout, stderr) => {
        const code = err === null ? 0 : err.code
        if (typeof code === 'number') resolve({ code, stdout: String(stdout), stderr: String(stderr) })
        else
          reject(new Error(`${program}: ${err?.killed === true ? 'it took too long' : String(err?.message)}`))
      })
    })
  }

  return {
    /** The path by which this process reaches a file of the host. */
    path,
    has: async (program: string): Promise<boolean> => {
      const found = PROGRAM_FOLDERS.map((folder) => access(path(join(folder, program)), constants.X_OK))
      return (await Promise.allSettled(found)).some(({ status }) => status === 'fulfilled')
    },
    /** Runs a program, whatever its exit code is. Rejects if it cannot run or takes too long. */
    attempt,
    /** Runs a program that must succeed; @returns its output */
    async run(program: string, args: readonly string[], options?: ToolOptions): Promise<string> {
      const { code, stdout, stderr } = await attempt(program, args, options)
      if (code === 0) return stdout
      throw new Error(`${program}: ${stderr.trim().split('\n')[0] || `exit code ${code}`}`)
    },
  }
}

/** Which view of the file systems a process has. Without it nobody can tell whose /tmp is cleaned. */
async function viewOf(pid: string): Promise<string> {
  try {
    return await readlink(`/proc/${pid}/ns/mnt`)
  } catch (cause) {
    const error = new SettingsError(
      '--guest-user demande que l’agent voie les fichiers du processus 1\u00a0: donnez CAP_SYS_PTRACE au service.',
      '--guest-user needs an agent that sees the files of process 1: give the service CAP_SYS_PTRACE.',
    )
    throw Object.assign(error, { cause })
  }
}
