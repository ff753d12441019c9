import { execFile } from 'node:child_process'
import { promisify } from 'node:util'

const INSTALL_WITHIN_MS = 300_000
const MAX_OUTPUT = 64 * 1024 * 1024

/**
 * Installs a Debian package if this process is root and apt exists. It starts no service of the package. A failure is
 * no error: the caller checks afterwards whether the program exists.
 */
export async function installPackage(name: string, env: NodeJS.ProcessEnv = {}): Promise<void> {
  if (process.getuid?.() !== 0) return
  const script = `apt-get update -q && apt-get install -y -q --no-install-recommends ${name}`
  try {
    await promisify(execFile)('sh', ['-c', script], {
      env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive', RUNLEVEL: '1', ...env },
      timeout: INSTALL_WITHIN_MS,
      maxBuffer: MAX_OUTPUT,
    })
  } catch {
    // The caller says what is missing, and how to install it by hand.
  }
}
