import { execFile } from 'node:child_process'
import { promisify } from 'node:util'

const INSTALL_WITHIN_MS = 300_000
const MOST_SAID = 64 * 1024 * 1024

/**
 * Installs a package of Debian when we are root and there is an apt; a failure is no error, for whoever asks looks
 * afterwards whether it is there. Services of the machine's own are none of our business: none is started.
 */
export async function installPackage(name: string, env: NodeJS.ProcessEnv = {}): Promise<void> {
  if (process.getuid?.() !== 0) return
  const script = `apt-get update -q && apt-get install -y -q --no-install-recommends ${name}`
  try {
    await promisify(execFile)('sh', ['-c', script], {
      env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive', RUNLEVEL: '1', ...env },
      timeout: INSTALL_WITHIN_MS,
      maxBuffer: MOST_SAID,
    })
  } catch {
    // The caller says what is missing, and how to install it by hand.
  }
}
