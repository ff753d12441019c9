import { deflateSync } from 'node:zlib'
import sharp from 'sharp'
import { beforeAll, describe, expect, it } from 'vitest'
import { MAX_PHOTO_BYTES, redrawPhoto } from './image.ts'

const picture = (width: number, height: number) =>
  sharp({ create: { width, height, channels: 3, background: '#336699' } })

let jpeg: Buffer
let png: Buffer

beforeAll(async () => {
  jpeg = await picture(1_600, 900)
    .withMetadata({ exif: { IFD0: { Artist: 'Camille' } } })
    .jpeg()
    .toBuffer()
  png = await picture(300, 200).png().toBuffer()
})

const codeOf = async (bytes: Buffer) => {
  const result = await redrawPhoto(bytes)
  return result.ok ? 'accepted' : result.error.code
}

/** A PNG that says to be 30 000 pixels square, in a few hundred bytes. */
function pngBomb(): Buffer {
  const chunk = (type: string, data: Buffer) => {
    const body = Buffer.concat([Buffer.from(type), data])
    const length = Buffer.alloc(4)
    length.writeUInt32BE(data.length)
    const sum = Buffer.alloc(4)
    sum.writeUInt32BE(crc32(body))
    return Buffer.concat([length, body, sum])
  }
  const header = Buffer.alloc(13)
  header.writeUInt32BE(30_000, 0)
  header.writeUInt32BE(30_000, 4)
  header.set([8, 0, 0, 0, 0], 8)
  const signature = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a])
  const data = deflateSync(Buffer.alloc(30_001 * 100))
  return Buffer.concat([
    signature,
    chunk('IHDR', header),
    chunk('IDAT', data),
    chunk('IEND', Buffer.alloc(0)),
  ])
}

function crc32(bytes: Buffer): number {
  let crc = 0xffffffff
  for (const byte of bytes) {
    crc ^= byte
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1
  }
  return (crc ^ 0xffffffff) >>> 0
}

describe('a photo', () => {
  it('is drawn anew, smaller, and without what the original told of its maker', async () => {
    const result = await redrawPhoto(jpeg)
    if (!result.ok) throw result.error
    const { format, width, height, exif } = await sharp(result.value).metadata()
    expect({ format, width, height, exif }).toEqual({
      format: 'jpeg',
      width: 1_000,
      height: 563,
      exif: undefined,
    })
    expect(result.value.includes('Camille')).toBe(false)
    expect(jpeg.includes('Camille')).toBe(true)
  })

  it('may be a PNG', async () => {
    expect(await codeOf(png)).toBe('accepted')
  })

  it('is refused when it is something else, whatever it is called', async () => {
    expect(await codeOf(Buffer.from('<svg xmlns="http://www.w3.org/2000/svg"/>'))).toBe('photo-format')
    expect(await codeOf(await picture(10, 10).webp().toBuffer())).toBe('photo-format')
    expect(await codeOf(Buffer.alloc(0))).toBe('photo-format')
  })

  it('is refused when only its first bytes are a picture', async () => {
    expect(await codeOf(Buffer.concat([jpeg.subarray(0, 20), Buffer.alloc(5_000, 'x')]))).toBe(
      'photo-unreadable',
    )
  })

  it('is refused when it breaks off', async () => {
    expect(await codeOf(jpeg.subarray(0, jpeg.length >> 1))).toBe('photo-unreadable')
    expect(await codeOf(png.subarray(0, png.length >> 1))).toBe('photo-unreadable')
  })

  it('is refused when it is too large', async () => {
    expect(await codeOf(Buffer.concat([jpeg, Buffer.alloc(MAX_PHOTO_BYTES)]))).toBe('photo-too-large')
  })

  it('is refused when a small file says to be an enormous picture', async () => {
    const bomb = pngBomb()
    expect(bomb.length).toBeLessThan(100_000)
    expect(await codeOf(bomb)).toBe('photo-too-many-pixels')
  })
})
