import { randomFillSync } from 'node:crypto'
import { crc32, deflateSync } from 'node:zlib'

/** Pictures that cost the most to receive and to decode: many bytes, many pixels, or many small parts. */
export function largePhotos(): { what: string; body: Buffer }[] {
  const noise = (width: number, height: number) => randomFillSync(Buffer.alloc(height * (1 + width * 3)))
  return [
    { what: 'a PNG of 5 MB', body: png(1_300, 1_300, clearFilters(noise(1_300, 1_300), 1_300), 0) },
    { what: 'a PNG of 25 million pixels', body: png(5_000, 5_000, Buffer.alloc(5_000 * 15_001), 9) },
    { what: 'a JPEG that is bytes only', body: jpegLike(5_200_000) },
  ].map(({ what, body }) => ({ what: `${what} (${(body.length / 1e6).toFixed(1)} MB)`, body }))
}

function clearFilters(rows: Buffer, width: number): Buffer {
  for (let at = 0; at < rows.length; at += 1 + width * 3) rows[at] = 0
  return rows
}

function png(width: number, height: number, rows: Buffer, level: number): Buffer {
  const header = Buffer.alloc(13)
  header.writeUInt32BE(width, 0)
  header.writeUInt32BE(height, 4)
  // 8 bits of red, green and blue each.
  header.set([8, 2, 0, 0, 0], 8)
  return Buffer.concat([
    Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]),
    chunk('IHDR', header),
    chunk('IDAT', deflateSync(rows, { level })),
    chunk('IEND', Buffer.alloc(0)),
  ])
}

function chunk(type: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(type), data])
  const ends = Buffer.alloc(8)
  ends.writeUInt32BE(data.length, 0)
  ends.writeUInt32BE(crc32(body), 4)
  return Buffer.concat([ends.subarray(0, 4), body, ends.subarray(4)])
}

function jpegLike(length: number): Buffer {
  const bytes = randomFillSync(Buffer.alloc(length))
  bytes.set([0xff, 0xd8, 0xff, 0xe0])
  return bytes
}
