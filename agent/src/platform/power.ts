import { CommandFailure } from '../link/command-failure.ts'
import type { Platform } from './platform.ts'

/**
 * A platform that refuses to reboot or shut down the machine. It is for agents on somebody's own computer, in a trial or
 * in a test.
 */
export function withoutPower(platform: Platform): Platform {
  const refuse = () => Promise.reject(new CommandFailure('power-not-managed'))
  return { ...platform, checkPower: refuse, reboot: refuse, shutdown: refuse }
}
