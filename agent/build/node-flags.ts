import type { Target } from './targets.ts'

/**
 * The flags of Node that are built into a binary. Nothing in the environment or on the command line can change them or
 * add to them.
 */
export const nodeFlagsFor = ({ platform }: Pick<Target, 'platform'>): readonly string[] => [
  // The agent uses about 10 MB of objects: a small heap is collected early and does not grow.
  '--max-semi-space-size=1',
  '--max-old-space-size=64',
  '--optimize-for-size',
  // Code is interpreted. The agent waits most of the time, and the compilers cost about 9 MB. Without them no memory is
  // both written and executed, which systemd can then forbid (MemoryDenyWriteExecute).
  '--jitless',
  // No helper threads for compilation and collection.
  '--v8-pool-size=0',
  // By default, SIGUSR1 opens a debugger on a local port, where any user of the machine could run code as the agent.
  '--disable-sigusr1',
  // Otherwise OPENSSL_CONF names a file, and this file libraries that OpenSSL loads.
  `--openssl-config=${platform === 'win' ? 'NUL' : '/dev/null'}`,
]
