import { spawn } from 'node:child_process'
import { buffer } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { failure, success, type Result } from '../../errors.ts'
import { createQueue } from '../../timing.ts'
import { JPEG_SIGNATURE, MAX_PHOTO_BYTES, PNG_SIGNATURE, TOO_MANY_PIXELS, UNREADABLE } from './limits.ts'

const TIMEOUT_MS = 20_000
const SCRIPT = fileURLToPath(new URL('redraw-process.ts', import.meta.url))

/**
 * Checks a picture by its content and draws it again as an upright JPEG of at most 1 000 px a side, without metadata.
 * Refuses truncated files, other file types, and files that are too large before or after decompression.
 */
export type Redraw = (bytes: Buffer) => Promise<Result<Buffer>>

/** Draws one picture at a time, because each needs a core and up to some hundred megabytes. */
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
 * Draws a picture in a child process. So its time is limited, its memory is freed, and a crash of the decoder harms
 * nothing else. The child process gets none of our settings and secrets, and ends with this process.
 * @throws Error if no process can be started
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
  // The pipe breaks if the process ends before it has read everything. Its exit code then gives the reason.
  child.stdin?.on('error', () => undefined)
  child.stdin?.end(bytes)
  const [drawn, code] = await Promise.all([child.stdout ? buffer(child.stdout) : Buffer.alloc(0), ended])
  if (code === 0) return success(drawn)
  if (code === TOO_MANY_PIXELS) return failure('photo-too-many-pixels')
  // Without an exit code it was killed: the decoder crashed or took too long.
  if (code === UNREADABLE || code === null) return failure('photo-unreadable')
  throw new Error(`the process that draws photos ended with ${code}`)
}
