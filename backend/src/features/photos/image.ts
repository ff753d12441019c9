import { spawn } from 'node:child_process'
import { buffer } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { failure, success, type Result } from '../../errors.ts'
import { createQueue } from '../../timing.ts'
import { JPEG_SIGNATURE, MAX_PHOTO_BYTES, PNG_SIGNATURE, TOO_MANY_PIXELS, UNREADABLE } from './limits.ts'

const TIMEOUT_MS = 20_000
const SCRIPT = fileURLToPath(new URL('redraw-process.ts', import.meta.url))

/**
 * Checks a picture by its content, and draws it anew as a JPEG of at most 1 000 px a side, upright and without any
 * metadata of the original. Truncated or disguised files, and files that are too large before or after
 * decompression, are refused.
 */
export type Redraw = (bytes: Buffer) => Promise<Result<Buffer>>

/** Draws one picture at a time: each takes a processor, and up to some hundred megabytes. */
export function createRedraw(): Redraw {
  const inTurn = createQueue()
  return async (bytes) => {
    if (bytes.length > MAX_PHOTO_BYTES) return failure('photo-too-large')
    if (![JPEG_SIGNATURE, PNG_SIGNATURE].some((known) => bytes.subarray(0, known.length).equals(known)))
      return failure('photo-format')
    return inTurn(() => redrawInProcess(bytes))
  }
}

/**
 * Draws a picture in a process of its own, which ends with its answer or with this process. So its time is limited,
 * its memory is given back, and a picture that crashes the decoder harms nothing else. The process gets none of our
 * settings and secrets.
 * @throws Error when no process can be started
 */
async function redrawInProcess(bytes: Buffer): Promise<Result<Buffer>> {
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
