import { execFile } from 'node:child_process'
import { createInterface } from 'node:readline'
import { createGuest, type Guest } from '../../agent/src/platform/linux/guest/guest.ts'
import type { Answer, Question } from './guest-room.ts'

/**
 * The part of a test that runs inside the room's namespaces: it answers each line of standard input with a line on
 * standard output.
 */
const NAME = 'escale-guest'
let guest: Guest | undefined

function shell(command: string, as?: { uid: number; gid: number }): Promise<string> {
  const options = { timeout: 60_000, cwd: '/', env: { PATH: process.env.PATH, LC_ALL: 'C' }, ...as }
  return new Promise((resolve, reject) => {
    execFile('sh', ['-c', command], options, (err, stdout, stderr) => {
      if (err) reject(new Error(`${command}: ${stderr || err.message}`))
      else resolve(stdout.trim())
    })
  })
}

async function answerTo(question: Question): Promise<unknown> {
  const signal = AbortSignal.timeout(60_000)
  switch (question.kind) {
    case 'root':
      return shell(question.command)
    case 'guest': {
      guest ??= await createGuest(NAME)
      return shell(question.command, { uid: guest.account.uid, gid: guest.account.gid })
    }
    case 'account':
      return (await createGuest(question.name)).account
    case 'open':
      guest ??= await createGuest(NAME)
      return guest.open(signal, question.sessionId)
    case 'clean': {
      guest ??= await createGuest(NAME)
      const startMs = performance.now()
      const { removed } = await guest.clean(signal)
      return { removed, ms: Math.round(performance.now() - startMs) }
    }
  }
}

const say = (answer: Answer) => process.stdout.write(`${JSON.stringify(answer)}\n`)

for await (const line of createInterface({ input: process.stdin })) {
  try {
    say({ result: await answerTo(JSON.parse(line) as Question) })
  } catch (err) {
    say({ error: err instanceof Error ? err.message : String(err) })
  }
}
process.exit(0)
