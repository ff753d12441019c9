import { failure, success, type Result } from '../../errors.ts'

export const MAX_PHOTO_BYTES = 5 * 1024 * 1024
const MAX_PIXELS = 25_000_000
/** A photo is looked at beside a name, not printed as a poster. */
const MAX_EDGE_PX = 1_000
const JPEG_QUALITY = 85

const signatures = [
  { format: 'jpeg', bytes: [0xff, 0xd8, 0xff] },
  { format: 'png', bytes: [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a] },
]

/**
 * Judges a picture by its content, and draws it anew: what is kept is a JPEG of at most 1 000 px a side, upright,
 * without any metadata of the original. Truncated, disguised, oversized and bomb-like files are refused.
 * @param bytes a whole JPEG or PNG file
 */
export async function redrawPhoto(bytes: Buffer): Promise<Result<Buffer>> {
  if (bytes.length > MAX_PHOTO_BYTES) return failure('photo-too-large')
  const isKnown = signatures.some((signature) => signature.bytes.every((byte, i) => bytes[i] === byte))
  if (!isKnown) return failure('photo-format')
  // Loaded on the first photo: a server that stores none does not carry the decoder in memory.
  const { default: sharp } = await import('sharp')
  const limits = { limitInputPixels: MAX_PIXELS, failOn: 'warning', animated: false } as const
  try {
    const { width, height } = await sharp(bytes, { ...limits, limitInputPixels: false }).metadata()
    if (width * height > MAX_PIXELS) return failure('photo-too-many-pixels')
    const redrawn = await sharp(bytes, limits)
      .rotate()
      .resize({ width: MAX_EDGE_PX, height: MAX_EDGE_PX, fit: 'inside', withoutEnlargement: true })
      .flatten({ background: '#ffffff' })
      .jpeg({ quality: JPEG_QUALITY })
      .toBuffer()
    return success(redrawn)
  } catch {
    // The decoder speaks of what it could not read in the file: for the caller that is one thing.
    return failure('photo-unreadable')
  }
}
