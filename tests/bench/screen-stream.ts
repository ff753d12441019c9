import { request } from 'node:http'
import { once } from 'node:events'
import type { IncomingMessage } from 'node:http'
import type { ScreenView } from '@escale/agent'

export interface ScreenStream {
  /** Resolves with the moment (`performance.now`) at which a view that fits arrives from now on. */
  next: (fits: (view: ScreenView) => boolean) => Promise<number>
  close: () => void
}

/** Listens to a station's screen as its page does. */
export async function openScreenStream(screenUrl: string): Promise<ScreenStream> {
  const asked = request(new URL('/api/state', screenUrl), { headers: { accept: 'text/event-stream' } })
  asked.end()
  const [response] = (await once(asked, 'response')) as [IncomingMessage]
  const waiting = new Set<(view: ScreenView, atMs: number) => void>()
  let rest = ''
  response.setEncoding('utf8').on('data', (chunk: string) => {
    const atMs = performance.now()
    const frames = (rest + chunk).split('\n\n')
    rest = frames.pop() ?? ''
    for (const frame of frames) {
      const data = /^data: (.*)$/m.exec(frame)?.[1]
      if (data) for (const look of waiting) look(JSON.parse(data) as ScreenView, atMs)
    }
  })
  return {
    next: (fits) =>
      new Promise((resolve) => {
        const look = (view: ScreenView, atMs: number) => {
          if (!fits(view)) return
          waiting.delete(look)
          resolve(atMs)
        }
        waiting.add(look)
      }),
    close: () => asked.destroy(),
  }
}
