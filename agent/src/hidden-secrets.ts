import { secretFlags } from './flags.ts'

const isSecret = (arg: string) =>
  secretFlags.some((flag) => arg === `--${flag}` || arg.startsWith(`--${flag}=`))

/**
 * Removes secrets that were given as flags from the process list, which every user of the machine may read. On Linux,
 * setting a title overwrites all arguments. Windows shows a service's arguments only to administrators.
 */
export function hideSecrets(args: readonly string[]): void {
  if (args.some(isSecret)) process.title = 'escale-agent'
}
