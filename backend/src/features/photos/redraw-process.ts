import { buffer } from 'node:stream/consumers'
import sharp from 'sharp'
import { mendedJpeg } from './jpeg.ts'
import { JPEG_SIGNATURE, MAX_PIXELS, TOO_MANY_PIXELS, UNREADABLE } from './limits.ts'

/** A photo is looked at beside a name, not printed as a poster. */
const MAX_EDGE_PX = 1_000
const JPEG_QUALITY = 85

// One picture comes in, one goes out. Whoever asked may be gone meanwhile.
process.once('disconnect', () => process.exit(1))
sharp.cache(false)
sharp.concurrency(1)
const redrawn = await redraw(await buffer(process.stdin))
if (typeof redrawn === 'number') process.exit(redrawn)
process.stdout.write(redrawn, () => process.exit(0))

async function redraw(bytes: Buffer): Promise<Buffer | number> {
  const isJpeg = bytes.subarray(0, JPEG_SIGNATURE.length).equals(JPEG_SIGNATURE)
  // What a decoder warns of in a JPEG is data that is missing; in a PNG, notes that no picture needs.
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
    // The decoder speaks of what it could not read in the file: for the caller that is one thing.
    return UNREADABLE
  }
}
