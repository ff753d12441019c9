import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'

const INSTALL_WITHIN_MS = 300_000

/** What to do where mosquitto's programs are not found. */
export const MOSQUITTO_HINT = 'needs mosquitto_sub: run `sudo apt-get install mosquitto-clients`'

export function hasMosquitto(): boolean {
  return (process.env.PATH ?? '').split(':').some((folder) => existsSync(join(folder, 'mosquitto_sub')))
}

/** Installs Debian's package where there is none and we are root; @returns whether it was installed. */
export async function installMosquitto(): Promise<boolean> {
  if (hasMosquitto() || process.getuid?.() !== 0) return false
  const script = 'apt-get update -q && apt-get install -y -q --no-install-recommends mosquitto-clients'
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
  try {
    await promisify(execFile)('sh', ['-c', script], {
      env,
      timeout: INSTALL_WITHIN_MS,
      maxBuffer: 64 * 1024 * 1024,
    })
    return hasMosquitto()
  } catch {
    return false
  }
}
