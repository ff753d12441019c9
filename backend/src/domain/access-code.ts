import { ACCESS_CODE_ALPHABET, ACCESS_CODE_LENGTH } from '@escale/protocol'

/** Largest multiple of the alphabet's length in a byte. Bytes above it are drawn again, so all letters are equally likely. */
const BYTE_LIMIT = 256 - (256 % ACCESS_CODE_ALPHABET.length)

/**
 * Draws a canonical access code.
 * @param randomByte returns a cryptographically random byte, 0..255
 */
export function drawAccessCode(randomByte: () => number): string {
  let code = ''
  while (code.length < ACCESS_CODE_LENGTH) {
    const byte = randomByte()
    if (byte < BYTE_LIMIT) code += ACCESS_CODE_ALPHABET.charAt(byte % ACCESS_CODE_ALPHABET.length)
  }
  return code
}
