import { request as requestHttp, type IncomingMessage } from 'node:http'
import { request as requestHttps } from 'node:https'

const MAX_ANSWER_BYTES = 262_144

export interface PostOptions {
  signal: AbortSignal
  /** PEM of the authority that a server's certificate is checked by; without it the machine's own ones are. */
  caCertificate?: string
  /** User name and password of HTTP Basic. */
  auth?: string
}

export interface JsonAnswer {
  status: number
  /** Undefined where the answer is no JSON. */
  body: unknown
}

/**
 * Posts JSON and reads the answer; a redirection is an answer like any other and is not followed. Not by fetch:
 * its first use costs 12 MB for good, and an agent asks once.
 * @throws Error when there is no whole answer, the server's certificate does not hold, or `signal` is aborted first.
 */
export async function postJson(url: URL, body: unknown, options: PostOptions): Promise<JsonAnswer> {
  const { signal, caCertificate: ca, auth } = options
  const text = JSON.stringify(body)
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    const send = url.protocol === 'https:' ? requestHttps : requestHttp
    const headers = {
      'content-type': 'application/json',
      'content-length': Buffer.byteLength(text),
      accept: 'application/json',
    }
    // No agent: the connection closes with the answer.
    const request = send(url, { method: 'POST', headers, agent: false, signal, ca, auth }, resolve)
    request.on('error', reject)
    request.end(text)
  })
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of response as AsyncIterable<Buffer>) {
    bytes += chunk.length
    if (bytes > MAX_ANSWER_BYTES) throw new Error(`the answer is larger than ${MAX_ANSWER_BYTES} bytes`)
    chunks.push(chunk)
  }
  return { status: response.statusCode ?? 0, body: parse(Buffer.concat(chunks).toString('utf8')) }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
