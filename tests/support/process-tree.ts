import { readFileSync, readdirSync } from 'node:fs'

export interface ProcessFacts {
  pid: number
  parentPid: number
  groupId: number
}

/** This process and all its descendants. Linux only: it reads /proc. */
export function processTree(pid: number): ProcessFacts[] {
  const all = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map((name) => factsOf(Number(name)))
    .filter((facts) => facts !== undefined)
  const below = (parent: ProcessFacts): ProcessFacts[] => [
    parent,
    ...all.filter(({ parentPid }) => parentPid === parent.pid).flatMap(below),
  ]
  return all.filter((facts) => facts.pid === pid).flatMap(below)
}

/** Whether the process runs. A zombie does not. */
export function isRunning(pid: number): boolean {
  return factsOf(pid) !== undefined
}

function factsOf(pid: number): ProcessFacts | undefined {
  let stat: string
  try {
    stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
  } catch {
    return undefined
  }
  const [state, parentPid, groupId] = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return state === 'Z' ? undefined : { pid, parentPid: Number(parentPid), groupId: Number(groupId) }
}
