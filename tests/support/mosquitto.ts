import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { installPackage } from './debian.ts'

/** Advice if mosquitto is not installed. */
export const MOSQUITTO_HINT = 'needs mosquitto_sub: run `sudo apt-get install mosquitto-clients`'

export function hasMosquitto(): boolean {
  return (process.env.PATH ?? '').split(':').some((folder) => existsSync(join(folder, 'mosquitto_sub')))
}

/** Installs the Debian package if it is missing and we are root; @returns whether it was installed. */
export async function installMosquitto(): Promise<boolean> {
  if (hasMosquitto()) return false
  await installPackage('mosquitto-clients')
  return hasMosquitto()
}
