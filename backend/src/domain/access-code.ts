import { ACCESS_CODE_ALPHABET, ACCESS_CODE_LENGTH } from '@escale/protocol'

/** Largest multiple of the alphabet's length that a byte can hold: what lies above is drawn again. */
const BYTE_LIMIT = 256 - (256 % ACCESS_CODE_ALPHABET.length)

/**
 * Draws a canonical access code, each letter equally likely.
 * @param randomByte a cryptographic generator of bytes, 0..255
 */
export function drawAccessCode(randomByte: () => number): string {
  let code = ''
  while (code.length < ACCESS_CODE_LENGTH) {
    const byte = randomByte()
    if (byte < BYTE_LIMIT) code += ACCESS_CODE_ALPHABET.charAt(byte % ACCESS_CODE_ALPHABET.length)
  }
  return code
}
