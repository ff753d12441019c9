import { fork } from 'node:child_process'

/**
 * Starts a script in a process of its own, sends it one question and returns its answer. The process ends with its
 * answer, or with this process. Its memory is given back, and its work keeps no request waiting.
 * @param failure what to say when the process ends without an answer
 */
export function askProcess<Answer>(script: URL, question: object, failure: string): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const child = fork(script, { execArgv: [], stdio: ['ignore', 'inherit', 'inherit', 'ipc'] })
    child.once('message', (answer) => resolve(answer as Answer))
    child.once('error', reject)
    child.once('exit', (code) => reject(new Error(`${failure} (exit code ${code})`)))
    child.send(question)
  })
}

/** The other end of {@link askProcess}: the script answers one question, and its process ends. */
export function answerParent<Question>(answerTo: (question: Question) => unknown): void {
  process.once('message', (question) => {
    void Promise.resolve(answerTo(question as Question)).then((answer) =>
      process.send?.(answer, () => process.disconnect()),
    )
  })
}
