import { failure, type Result } from '../../errors.ts'
import { createQueue } from '../../timing.ts'
import { JPEG_SIGNATURE, MAX_PHOTO_BYTES, PNG_SIGNATURE } from './limits.ts'
import { redrawApart } from './redraw-apart.ts'

/**
 * Checks a picture by its content, and draws it anew as a JPEG of at most 1 000 px a side, upright and without any
 * metadata of the original. Files that are truncated, disguised or too large, packed or unpacked, are refused.
 */
export type Redraw = (bytes: Buffer) => Promise<Result<Buffer>>

/** Draws one picture at a time: each takes a processor, and up to some hundred megabytes. */
export function createRedraw(): Redraw {
  const inTurn = createQueue()
  return async (bytes) => {
    if (bytes.length > MAX_PHOTO_BYTES) return failure('photo-too-large')
    if (![JPEG_SIGNATURE, PNG_SIGNATURE].some((known) => bytes.subarray(0, known.length).equals(known)))
      return failure('photo-format')
    return inTurn(() => redrawApart(bytes))
  }
}
