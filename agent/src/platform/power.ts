import type { Platform } from './platform.ts'

/**
 * The platform of an agent that is not in charge of its machine: on somebody's own computer, in a trial or a
 * test, a command must not turn it off.
 */
export function withoutPower(platform: Platform): Platform {
  const refuse = () =>
    Promise.reject(new Error('this agent is not in charge of its machine: start it with --manage-power'))
  return { ...platform, reboot: refuse, shutdown: refuse }
}
