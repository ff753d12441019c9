/**
 * The encoding of a text file that people edit: found by its byte order mark, or by the zero bytes of Latin letters in
 * UTF-16. `TextDecoder` removes the mark itself.
 */
export function encodingOf([first, second]: Uint8Array): 'utf-8' | 'utf-16le' | 'utf-16be' {
  if ((first === 0xff && second === 0xfe) || second === 0) return 'utf-16le'
  if ((first === 0xfe && second === 0xff) || first === 0) return 'utf-16be'
  return 'utf-8'
}
