/** The two notes of a small bell: frequency in Hz, start and length in seconds. */
const NOTES = [
  { frequency: 880, at: 0, length: 0.5 },
  { frequency: 1174.66, at: 0.18, length: 0.7 },
]
const LOUDNESS = 0.22
const ATTACK_S = 0.012

/** A synthesised sound, rung by the returned function. Browsers allow it after a click or a key in the page. */
export function createBell() {
  let context: AudioContext | undefined

  return async (): Promise<void> => {
    if (!navigator.userActivation.hasBeenActive) return
    try {
      context ??= new AudioContext()
      await context.resume()
      for (const note of NOTES) play(context, note)
    } catch {
      // No sound device, or the browser refuses: the card and the title show the call anyway.
    }
  }
}

function play(context: AudioContext, { frequency, at, length }: (typeof NOTES)[number]): void {
  const start = context.currentTime + at
  const [tone, volume] = [context.createOscillator(), context.createGain()]
  tone.type = 'sine'
  tone.frequency.value = frequency
  volume.gain.setValueAtTime(0, start)
  volume.gain.linearRampToValueAtTime(LOUDNESS, start + ATTACK_S)
  volume.gain.exponentialRampToValueAtTime(0.001, start + length)
  tone.connect(volume).connect(context.destination)
  tone.start(start)
  tone.stop(start + length)
}
