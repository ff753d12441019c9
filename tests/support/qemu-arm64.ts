import { existsSync } from 'node:fs'
import { installPackage } from './debian.ts'

const QEMU = '/usr/bin/qemu-aarch64'
/** Where Debian's cross packages put the libraries of arm64. */
const LIBRARIES = '/usr/aarch64-linux-gnu'
const PACKAGES = 'qemu-user libc6-arm64-cross libstdc++6-arm64-cross'

/** Advice if qemu is missing. */
export const QEMU_ARM64_HINT = `needs qemu-user: run \`sudo apt-get install ${PACKAGES}\``

export const hasQemuArm64 = () => existsSync(QEMU) && existsSync(`${LIBRARIES}/lib/libstdc++.so.6`)

/** Installs the Debian packages if they are missing and we are root; @returns whether they were installed. */
export async function installQemuArm64(): Promise<boolean> {
  if (hasQemuArm64()) return false
  await installPackage(PACKAGES)
  return hasQemuArm64()
}

/** The command that runs a program for Linux arm64; the program's arguments follow it. */
export const inQemuArm64 = (program: string) => [QEMU, '-L', LIBRARIES, program]
