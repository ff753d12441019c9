import { readFile } from 'node:fs/promises'

export interface Mount {
  point: string
  type: string
  /** Options of the file system. */
  options: readonly string[]
}

/** The mounts that the guest sees, those of process 1, the newest last. Source: proc_pid_mountinfo(5). */
export async function readMounts(): Promise<Mount[]> {
  const table = await readFile('/proc/1/mountinfo', 'utf8')
  return table.split('\n').flatMap((line) => {
    const [before = '', after] = line.split(' - ')
    if (after === undefined) return []
    const [type = '', , options = ''] = after.split(' ')
    return [{ point: unescaped(before.split(' ')[4] ?? ''), type, options: options.split(',') }]
  })
}

/** Spaces, tabs, line ends and backslashes are written as octal numbers. */
const unescaped = (text: string) =>
  text.replace(/\\([0-7]{3})/g, (_, digits: string) => String.fromCharCode(parseInt(digits, 8)))
