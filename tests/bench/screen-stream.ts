import { request } from 'node:http'
import { once } from 'node:events'
import type { IncomingMessage } from 'node:http'
import type { ScreenView } from '@escale/agent'

export interface ScreenStream {
  /** Resolves with the time (`performance.now`) at which the next matching view arrives. */
  next: (isWanted: (view: ScreenView) => boolean) => Promise<number>
  close: () => void
}

/** Listens to a station's screen as its page does. */
export async function openScreenStream(screenUrl: string): Promise<ScreenStream> {
  const streamRequest = request(new URL('/api/state', screenUrl), {
    headers: { accept: 'text/event-stream' },
  })
  streamRequest.end()
  const [response] = (await once(streamRequest, 'response')) as [IncomingMessage]
  const waiting = new Set<(view: ScreenView, atMs: number) => void>()
  let rest = ''
  response.setEncoding('utf8').on('data', (chunk: string) => {
    const atMs = performance.now()
    const frames = (rest + chunk).split('\n\n')
    rest = frames.pop() ?? ''
    for (const frame of frames) {
      const data = /^data: (.*)$/m.exec(frame)?.[1]
      if (data) for (const onView of waiting) onView(JSON.parse(data) as ScreenView, atMs)
    }
  })
  return {
    next: (isWanted) =>
      new Promise((resolve) => {
        const onView = (view: ScreenView, atMs: number) => {
          if (!isWanted(view)) return
          waiting.delete(onView)
          resolve(atMs)
        }
        waiting.add(onView)
      }),
    close: () => streamRequest.destroy(),
  }
}
