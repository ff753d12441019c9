import { fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'

export interface IssueRequest {
  /** PEM of the authority's key and certificate; without it one is made. */
  authority?: string
  /** Name of this machine, for the authority's own. */
  machine: string
  names: string[]
  /** Unix milliseconds. */
  nowMs: number
}

/** PEM: key, certificate, and for the server its authority's certificate. */
export interface Issued {
  authority: string
  server: string
}

/**
 * Makes certificates in a short-lived process: the library takes 25 MB that a thread would not give back. It ends
 * with its answer, and with us.
 * @throws Error when it cannot make them
 */
export function issueApart(request: IssueRequest): Promise<Issued> {
  const path = fileURLToPath(new URL('issue-process.ts', import.meta.url))
  return new Promise((resolve, reject) => {
    const child = fork(path, { execArgv: [], stdio: ['ignore', 'inherit', 'inherit', 'ipc'] })
    child.once('message', (issued) => resolve(issued as Issued))
    child.once('error', reject)
    child.once('exit', (code) => reject(new Error(`certificates cannot be made (exit code ${code})`)))
    child.send(request)
  })
}
