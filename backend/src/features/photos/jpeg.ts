const MARKER = 0xff
const START_OF_SCAN = 0xda
const APP0 = 0xe0
const END_OF_IMAGE = Buffer.from([0xff, 0xd9])
/** Markers of sequential frames with Huffman codes. */
const SEQUENTIAL = [0xc0, 0xc1]
const LAST_COEFFICIENT = 63
/** Picture data may end with up to this many zeros. */
const MOST_LAST_ZEROS = 3

/**
 * Corrects faults that cameras make in a JPEG and that every browser ignores: bytes between two segments of the header,
 * a revision of JFIF that does not exist, a sequential scan whose header says that it has no coefficients (Samsung),
 * and a missing end. The picture data is not changed, so a strict decoder still detects missing data.
 * @returns the possible corrected files, the most likely first
 */
export function mendedJpeg(bytes: Buffer): Buffer[] {
  const segments: Buffer[] = [bytes.subarray(0, 2)]
  let isSequential = false
  let at = 2
  for (;;) {
    const start = markerFrom(bytes, at)
    if (start === undefined) return [bytes]
    const kind = bytes[start + 1] ?? 0
    const end = start + 2 + bytes.readUInt16BE(start + 2)
    const segment = Buffer.from(bytes.subarray(start, end))
    segments.push(segment)
    if (SEQUENTIAL.includes(kind)) isSequential = true
    if (kind === APP0) mendRevision(segment)
    if (kind === START_OF_SCAN) {
      if (isSequential) mendScan(segment)
      return endings(bytes.subarray(end)).map((scans) => Buffer.concat([...segments, scans]))
    }
    at = end
  }
}

/** Where the next segment begins; undefined when there is none whose length can be read. */
function markerFrom(bytes: Buffer, from: number): number | undefined {
  let at = from
  while (at + 4 <= bytes.length) {
    at = bytes.indexOf(MARKER, at)
    if (at < 0 || at + 4 > bytes.length) return undefined
    const kind = bytes[at + 1] ?? 0
    // 0xff may be repeated before a marker, and 0xff00 is not a marker. Source: ITU-T T.81, B.1.1.2.
    if (kind >= 0xc0 && kind !== MARKER) return at
    at += 1
  }
  return undefined
}

/** Source: ITU-T T.871, 10.1. */
function mendRevision(segment: Buffer): void {
  if (segment.toString('latin1', 4, 8) === 'JFIF' && segment.length > 9) segment[9] = 1
}

/** Only the components vary in a scan header; all other bytes have one correct value. Source: ITU-T T.81, B.2.3. */
function mendScan(segment: Buffer): void {
  if (segment.length >= 8) segment.set([0, LAST_COEFFICIENT, 0], segment.length - 3)
}

/**
 * A file may end with zeros, which a decoder would read as picture data. If the end marker is missing, the first few
 * zeros may belong to the picture. Each possibility is one result.
 */
function endings(scans: Buffer): Buffer[] {
  let end = scans.length
  while (end > 0 && scans[end - 1] === 0) end -= 1
  if (scans.subarray(end - END_OF_IMAGE.length, end).equals(END_OF_IMAGE)) return [scans.subarray(0, end)]
  const zeros = scans.length - end
  const kept = zeros <= MOST_LAST_ZEROS ? Array.from({ length: zeros + 1 }, (_, i) => zeros - i) : [0]
  return kept.map((count) => Buffer.concat([scans.subarray(0, end + count), END_OF_IMAGE]))
}
