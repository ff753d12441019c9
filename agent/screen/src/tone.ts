const NOTES_HZ = [660, 880]
const NOTE_S = 0.18
const VOLUME = 0.25

let context: AudioContext | undefined

/** Plays two short notes. Without a sound card, or before the browser allows sound, nothing is heard. */
export function playTone(): void {
  context ??= new AudioContext()
  void context.resume()
  for (const [index, hertz] of NOTES_HZ.entries()) {
    const startS = context.currentTime + index * NOTE_S
    const [note, volume] = [context.createOscillator(), context.createGain()]
    note.frequency.value = hertz
    // A note that starts or ends at once clicks.
    volume.gain.setValueAtTime(0, startS)
    volume.gain.linearRampToValueAtTime(VOLUME, startS + 0.02)
    volume.gain.linearRampToValueAtTime(0, startS + NOTE_S)
    note.connect(volume).connect(context.destination)
    note.start(startS)
    note.stop(startS + NOTE_S)
  }
}
