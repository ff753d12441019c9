import { buffer } from 'node:stream/consumers'
import sharp from 'sharp'
import { mendedJpeg } from './jpeg.ts'
import { JPEG_SIGNATURE, MAX_PIXELS, TOO_MANY_PIXELS, UNREADABLE } from './limits.ts'

/** Enough for a screen. */
const MAX_EDGE_PX = 1_000
const JPEG_QUALITY = 85

// Reads one picture from stdin and writes one to stdout. Ends early if the parent process ends.
process.once('disconnect', () => process.exit(1))
sharp.cache(false)
sharp.concurrency(1)
const redrawn = await redraw(await buffer(process.stdin))
if (typeof redrawn === 'number') process.exit(redrawn)
process.stdout.write(redrawn, () => process.exit(0))

async function redraw(bytes: Buffer): Promise<Buffer | number> {
  const isJpeg = bytes.subarray(0, JPEG_SIGNATURE.length).equals(JPEG_SIGNATURE)
  // A warning about a JPEG means missing data; a warning about a PNG concerns only its metadata.
  const failOn = isJpeg ? 'warning' : 'error'
  let outcome: Buffer | number = UNREADABLE
  for (const way of isJpeg ? mendedJpeg(bytes) : [bytes]) {
    outcome = await drawn(way, failOn)
    if (outcome !== UNREADABLE) break
  }
  return outcome
}

async function drawn(picture: Buffer, failOn: 'warning' | 'error'): Promise<Buffer | number> {
  try {
    const { width, height } = await sharp(picture, { failOn: 'none', limitInputPixels: false }).metadata()
    if (width * height > MAX_PIXELS) return TOO_MANY_PIXELS
    return await sharp(picture, { failOn, limitInputPixels: MAX_PIXELS, animated: false })
      .rotate()
      .resize({ width: MAX_EDGE_PX, height: MAX_EDGE_PX, fit: 'inside', withoutEnlargement: true })
      .flatten({ background: '#ffffff' })
      .jpeg({ quality: JPEG_QUALITY })
      .toBuffer()
  } catch {
    // The caller gets the same answer for all faults in the picture.
    return UNREADABLE
  }
}
