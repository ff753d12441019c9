import { secretFlags } from './flags.ts'

const isSecret = (arg: string) =>
  secretFlags.some((flag) => arg === `--${flag}` || arg.startsWith(`--${flag}=`))

/**
 * Takes secrets given as flags out of the process list, which every user of the machine may read. On Linux a title
 * overwrites all of the arguments; Windows shows a service's arguments to administrators alone.
 */
export function hideSecrets(args: readonly string[]): void {
  if (args.some(isSecret)) process.title = 'escale-agent'
}
