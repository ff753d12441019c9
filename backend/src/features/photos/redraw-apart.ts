import { spawn } from 'node:child_process'
import { buffer } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { failure, success, type Result } from '../../errors.ts'
import { TOO_MANY_PIXELS, UNREADABLE } from './limits.ts'

const TIMEOUT_MS = 20_000
const SCRIPT = fileURLToPath(new URL('redraw-process.ts', import.meta.url))

/**
 * Draws a picture in a process of its own, which ends with its answer or with this process. So the decoder's time and
 * memory are limited and given back, and a picture that crashes it harms nothing else. The process has none of our
 * settings and secrets.
 * @throws Error when no process can be started
 */
export async function redrawApart(bytes: Buffer): Promise<Result<Buffer>> {
  const child = spawn(process.execPath, [SCRIPT], {
    env: { MALLOC_ARENA_MAX: '1' },
    stdio: ['pipe', 'pipe', 'inherit', 'ipc'],
    timeout: TIMEOUT_MS,
    killSignal: 'SIGKILL',
  })
  const ended = new Promise<number | null>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (code) => resolve(code))
  })
  // Broken where the process ends before it has read all: then its exit says why.
  child.stdin?.on('error', () => undefined)
  child.stdin?.end(bytes)
  const [drawn, code] = await Promise.all([child.stdout ? buffer(child.stdout) : Buffer.alloc(0), ended])
  if (code === 0) return success(drawn)
  if (code === TOO_MANY_PIXELS) return failure('photo-too-many-pixels')
  // Without a code it was killed: the decoder crashed, or took too long.
  if (code === UNREADABLE || code === null) return failure('photo-unreadable')
  throw new Error(`the process that draws photos ended with ${code}`)
}
