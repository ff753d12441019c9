// A file of its own, so that the drawing process loads nothing else.

export const MAX_PHOTO_BYTES = 5 * 1024 * 1024
export const MAX_PIXELS = 25_000_000
export const JPEG_SIGNATURE = Buffer.from([0xff, 0xd8, 0xff])
export const PNG_SIGNATURE = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a])

/** Exit codes of the drawing process when it refuses a picture. */
export const TOO_MANY_PIXELS = 10
export const UNREADABLE = 11
