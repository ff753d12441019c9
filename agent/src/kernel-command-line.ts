import type { Bilingual } from '@escale/protocol'
import { flagNames, secretFlags, type Flag } from './flags.ts'
import { readTextFile } from './text-file.ts'

export const KERNEL_PREFIX = 'escale.'
/** The parameter with the boot token, which takes the place of the site key. */
export const TOKEN = `${KERNEL_PREFIX}token`

/** The kernel's parameter for a setting, such as `escale.server`. */
export const parameterOf = (flag: Flag) => KERNEL_PREFIX + flag

/** What a netboot server has written for the agent on the kernel's command line. */
export interface KernelSettings {
  values: Partial<Record<Flag, string>>
  /** The station was started with a boot token, so it has no disk of its own. */
  isDiskless: boolean
  /** Parameters that set nothing. */
  unknown: string[]
  warnings: Bilingual[]
}

/** The command line with which the kernel was started; empty where there is none, as on Windows. */
export const readKernelCommandLine = (path = '/proc/cmdline'): string => readTextFile(path) ?? ''

/**
 * The agent's settings on a kernel's command line. Every program of the machine can read it, so the only secret that it
 * may hold is a boot token, which works once.
 */
export function kernelSettingsOf(commandLine: string): KernelSettings {
  const given = parametersOf(commandLine).filter(([name]) => name.startsWith(KERNEL_PREFIX))
  const found: KernelSettings = { values: {}, isDiskless: false, unknown: [], warnings: [] }
  for (const [name, value] of given) {
    const flag = flagNames.find((one) => parameterOf(one) === name)
    if (name === TOKEN) {
      // An empty one counts as not given, like an empty variable.
      if (value !== '') found.values['enrolment-key'] = value
    } else if (flag === undefined) found.unknown.push(name)
    else if (secretFlags.some((secret) => secret === flag)) found.warnings.push(visibleSecret(name))
    else if (value !== '') found.values[flag] = value
  }
  found.isDiskless = found.values['enrolment-key'] !== undefined
  return found
}

/**
 * Names and values, split as the kernel does: at spaces outside double quotes. A name alone is a switch, and the kernel
 * reads `-` and `_` as the same.
 */
function parametersOf(commandLine: string): [name: string, value: string][] {
  return [...commandLine.matchAll(/(?:[^\s"]|"[^"]*"?)+/g)].map(([word]) => {
    const [name = '', ...rest] = word.replaceAll('"', '').split('=')
    return [name.replaceAll('_', '-'), rest.length === 0 ? 'true' : rest.join('=')]
  })
}

const visibleSecret = (name: string): Bilingual => ({
  fr: `${name} est ignoré\u00a0: tout programme du poste lit la ligne de commande du noyau, et ce secret est durable. Donnez un jeton de démarrage avec ${TOKEN}.`,
  en: `${name} is ignored: every program of the station can read the kernel’s command line, and this secret lasts. Give a boot token with ${TOKEN}.`,
})
