import type { ServerResponse } from 'node:http'

const MAX_STREAMS = 8
/** A stream with more unsent bytes than this belongs to a page that no longer reads: it is closed. */
const MAX_WAITING_BYTES = 65_536

/** The event streams of the pages that show the station's screen. */
export interface Streams {
  /** Adds a response whose head is already sent. If there are too many, the oldest is closed. */
  add: (stream: ServerResponse) => void
  push: (frame: string) => void
  hasPage: () => boolean
  end: () => void
}

export function createStreams(onChanged: () => void): Streams {
  /** Oldest first. */
  const streams = new Set<ServerResponse>()

  return {
    add: (stream) => {
      streams.add(stream)
      stream.once('close', () => {
        if (streams.delete(stream)) onChanged()
      })
      for (const oldest of streams) {
        if (streams.size <= MAX_STREAMS) break
        streams.delete(oldest)
        oldest.end()
      }
      onChanged()
    },
    push: (frame) => {
      for (const stream of streams) {
        if (stream.writableLength > MAX_WAITING_BYTES) stream.destroy()
        else stream.write(frame)
      }
    },
    hasPage: () => streams.size > 0,
    end: () => {
      for (const stream of streams) stream.end()
    },
  }
}
