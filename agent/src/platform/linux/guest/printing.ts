import { readdir } from 'node:fs/promises'
import type { GuestAccount } from './account.ts'
import type { HostTools } from './host-tools.ts'
import { found, NOTHING, type Leftovers } from './leftovers.ts'

const SPOOL = '/var/spool/cups'

/**
 * Print jobs, also finished ones: CUPS keeps their documents for a day, and can print them again. A queue with a job of
 * the guest is emptied. Undefined without CUPS.
 * Source: lpstat(1), cancel(1), cupsd.conf(5) PreserveJobFiles.
 */
export function printJobs({ name }: GuestAccount, tools: HostTools): Leftovers {
  return {
    kind: 'printJobs',
    find: async () => {
      if (!(await tools.has('lpstat'))) return undefined
      const { code, stdout, stderr } = await tools.attempt('lpstat', ['-W', 'all', '-o'])
      if (code === 0) return found(stdout.split('\n').flatMap((line) => jobOf(line, name)))
      // The scheduler does not run. Without files in its spool there are no jobs.
      const files = await readdir(tools.path(SPOOL)).catch(() => [])
      if (!files.some((file) => /^[cd]\d/.test(file))) return NOTHING
      throw new Error(`lpstat: ${stderr.trim()}`)
    },
    remove: async ({ names }, signal) => {
      // cancel(1) of CUPS 2.4 removes the documents of finished jobs only for a whole queue, with the jobs of everybody.
      const queues = new Set(names.map((job) => job.replace(/-\d+$/, '')))
      await tools.run('cancel', ['-x', '-u', name, '-a', ...queues], { signal })
    },
  }
}

/** A line is the job, its user, its size and its date. */
function jobOf(line: string, user: string): string[] {
  const [job = '', owner] = line.trim().split(/\s+/)
  return owner === user ? [job] : []
}
