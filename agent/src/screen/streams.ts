import type { ServerResponse } from 'node:http'

const MAX_STREAMS = 8
/** A reader that has fallen back by this much reads no more. */
const MAX_WAITING_BYTES = 65_536

/** The pages that show the station's screen, each by the stream that it holds open. */
export interface Streams {
  /** Takes a response whose head is written; where there are too many, the oldest gives way. */
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
