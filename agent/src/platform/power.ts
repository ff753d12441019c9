import { CommandFailure } from '../link/command-failure.ts'
import type { Platform } from './platform.ts'

/**
 * The platform of an agent that is not in charge of its machine: on somebody's own computer, in a trial or a
 * test, a command must not turn it off.
 */
export function withoutPower(platform: Platform): Platform {
  const refuse = () => Promise.reject(new CommandFailure('power-not-managed'))
  return { ...platform, checkPower: refuse, reboot: refuse, shutdown: refuse }
}
