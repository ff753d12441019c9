/** The two notes of a small bell: frequency in Hz, start and length in seconds. */
const NOTES = [
  { frequency: 880, at: 0, length: 0.5 },
  { frequency: 1174.66, at: 0.18, length: 0.7 },
]
const LOUDNESS = 0.22
const ATTACK_S = 0.012

export interface Bell {
  /** Resolves to false when the browser does not allow sound. */
  ring: () => Promise<boolean>
}

/** A synthesised sound. Browsers allow it once somebody has clicked or typed in the page. */
export function createBell(open: () => AudioContext = () => new AudioContext()): Bell {
  let context: AudioContext | undefined

  return {
    async ring() {
      if (!navigator.userActivation.hasBeenActive) return false
      try {
        context ??= open()
        await context.resume()
        for (const note of NOTES) play(context, note)
        return true
      } catch {
        // No sound device, or the browser refuses: the card and the title show the call anyway.
        return false
      }
    },
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
