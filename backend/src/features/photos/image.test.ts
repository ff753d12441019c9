import { crc32, deflateSync } from 'node:zlib'
import sharp from 'sharp'
import { beforeAll, describe, expect, it } from 'vitest'
import { createRedraw } from './image.ts'
import { MAX_PHOTO_BYTES } from './limits.ts'

const redraw = createRedraw()

const picture = (width: number, height: number) =>
  sharp({ create: { width, height, channels: 3, background: '#336699' } })

let jpeg: Buffer
let png: Buffer
let progressive: Buffer

beforeAll(async () => {
  jpeg = await picture(1_600, 900)
    .withMetadata({ exif: { IFD0: { Artist: 'Camille' } } })
    .jpeg()
    .toBuffer()
  progressive = await sharp({
    create: {
      width: 600,
      height: 400,
      channels: 3,
      background: '#336699',
      noise: { type: 'gaussian', sigma: 30 },
    },
  })
    .jpeg({ progressive: true })
    .toBuffer()
  png = await picture(300, 200).png().toBuffer()
})

const codeOf = async (bytes: Buffer) => {
  const result = await redraw(bytes)
  return result.ok ? 'accepted' : result.error.code
}

/** A PNG of a few hundred bytes whose header claims 30 000 × 30 000 pixels. */
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

describe('a photo', () => {
  it('is encoded again, smaller and without metadata', async () => {
    const result = await redraw(jpeg)
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

  it('is refused when it is another kind of file, whatever its media type', async () => {
    expect(await codeOf(Buffer.from('<svg xmlns="http://www.w3.org/2000/svg"/>'))).toBe('photo-format')
    expect(await codeOf(await picture(10, 10).webp().toBuffer())).toBe('photo-format')
    expect(await codeOf(Buffer.alloc(0))).toBe('photo-format')
  })

  it('is refused when only its first bytes are a picture', async () => {
    expect(await codeOf(Buffer.concat([jpeg.subarray(0, 20), Buffer.alloc(5_000, 'x')]))).toBe(
      'photo-unreadable',
    )
  })

  it('is refused when it is truncated', async () => {
    expect(await codeOf(jpeg.subarray(0, jpeg.length >> 1))).toBe('photo-unreadable')
    expect(await codeOf(png.subarray(0, png.length >> 1))).toBe('photo-unreadable')
  })

  /** Where the scan header of a JPEG begins, and where the data after it begin. */
  const scanOf = (bytes: Buffer) => {
    for (let at = 2; ; at += 2 + bytes.readUInt16BE(at + 2))
      if (bytes[at + 1] === 0xda) return { at, dataAt: at + 2 + bytes.readUInt16BE(at + 2) }
  }
  /** As Samsung's cameras write it: the scan header names coefficients 0 to 0. */
  const samsung = (bytes: Buffer) => {
    const { dataAt } = scanOf(bytes)
    return Buffer.concat([bytes.subarray(0, dataAt - 3), Buffer.alloc(3), bytes.subarray(dataAt)])
  }
  const half = (bytes: Buffer) => {
    const { dataAt } = scanOf(bytes)
    return bytes.subarray(0, (dataAt + bytes.length) >> 1)
  }
  const end = Buffer.from([0xff, 0xd9])
  /** A picture without end marker whose last byte is zero, as in about one picture of fifty. */
  const endingWithZero = async () => {
    for (;;) {
      const noise = { type: 'gaussian', mean: 128, sigma: 60 } as const
      const drawn = sharp({ create: { width: 40, height: 30, channels: 3, background: '#808080', noise } })
      const cut = (await drawn.jpeg().toBuffer()).subarray(0, -2)
      if (cut.at(-1) === 0) return cut
    }
  }
  const jfif = (major: number) =>
    Buffer.concat([
      jpeg.subarray(0, 2),
      Buffer.from([0xff, 0xe0, 0, 16, ...Buffer.from('JFIF\0'), major, 1, 0, 0, 1, 0, 1, 0, 0]),
      jpeg.subarray(2),
    ])

  it.each([
    ['whose scan header names no coefficients', () => samsung(jpeg)],
    ['without its end', () => jpeg.subarray(0, -2)],
    ['with half of its end', () => jpeg.subarray(0, -1)],
    ['of many passes, without its end', () => progressive.subarray(0, -2)],
    ['whose data ends with a zero, without its end', endingWithZero],
    ['with all of that', () => samsung(jpeg).subarray(0, -2)],
    ['with zeros after it', () => Buffer.concat([jpeg, Buffer.alloc(4_000)])],
    ['with zeros for its end', () => Buffer.concat([jpeg.subarray(0, -2), Buffer.alloc(4_000)])],
    ['with something else after it', () => Buffer.concat([jpeg, Buffer.from('from a telephone')])],
    [
      'with bytes between its segments',
      () => {
        const second = 4 + jpeg.readUInt16BE(4)
        return Buffer.concat([jpeg.subarray(0, second), Buffer.from([1, 2, 3]), jpeg.subarray(second)])
      },
    ],
    [
      'with fill bytes before a marker',
      () => Buffer.concat([jpeg.subarray(0, 2), Buffer.from([0xff, 0xff]), jpeg.subarray(2)]),
    ],
    ['of a revision of JFIF that does not exist', () => jfif(9)],
    ['in shades of grey', () => picture(20, 20).greyscale().jpeg().toBuffer()],
    ['in the colours of print', () => picture(20, 20).toColourspace('cmyk').jpeg().toBuffer()],
    ['that is a PNG without its end', () => png.subarray(0, -12)],
    ['that is a PNG in passes', () => picture(20, 20).png({ progressive: true }).toBuffer()],
  ])('is accepted, because every browser shows it: %s', async (_what, make) => {
    expect(await codeOf(await make())).toBe('accepted')
  })

  it.each([
    ['', () => half(jpeg)],
    [' of many passes', () => half(progressive)],
    [' with a few zeros', () => Buffer.concat([half(jpeg), Buffer.alloc(2)])],
    [' with an end marker added', () => Buffer.concat([half(jpeg), end])],
    [' of many passes with an end put behind it', () => Buffer.concat([half(progressive), end])],
    [' with zeros put behind it', () => Buffer.concat([half(jpeg), Buffer.alloc(9_000)])],
    [' whose scan header names no coefficients', () => Buffer.concat([half(samsung(jpeg)), end])],
    [
      ' of which some lines are missing',
      () => jpeg.subarray(0, scanOf(jpeg).dataAt + (jpeg.length - scanOf(jpeg).dataAt) * 0.95),
    ],
    [' of a PNG', () => png.subarray(0, png.length >> 1)],
    [' with no picture at all', () => Buffer.concat([jpeg.subarray(0, scanOf(jpeg).dataAt), end])],
    [' with only a first segment', () => jpeg.subarray(0, 30)],
  ])('is refused when half of the picture is missing%s', async (_what, make) => {
    expect(await codeOf(make())).toBe('photo-unreadable')
  })

  it('does not affect the next one after a failure', async () => {
    const damaged = half(jpeg)
    expect(await Promise.all([damaged, jpeg, damaged, png, jpeg].map(codeOf))).toEqual([
      'photo-unreadable',
      'accepted',
      'photo-unreadable',
      'accepted',
      'accepted',
    ])
  })

  it('is refused when it is too large', async () => {
    expect(await codeOf(Buffer.concat([jpeg, Buffer.alloc(MAX_PHOTO_BYTES)]))).toBe('photo-too-large')
  })

  it('is refused when a small file claims to be a huge picture', async () => {
    const bomb = pngBomb()
    expect(bomb.length).toBeLessThan(100_000)
    expect(await codeOf(bomb)).toBe('photo-too-many-pixels')
  })
})
