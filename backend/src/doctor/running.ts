import { connectAsync, type IClientOptions } from 'mqtt'
import { OPERATOR_USERNAME } from '@escale/broker'
import { bad, good, reasonOf, type Finding } from './finding.ts'

const ANSWER_LIMIT_MS = 3_000
const TOPIC = 'escale/v1/events/#'

/**
 * Whether the server at `url` uses this data folder; undefined when no server answers.
 * @param token an access token of an administrator, signed with the folder's key
 */
export async function askServer(
  url: string,
  token: string | undefined,
): Promise<'ours' | 'foreign' | undefined> {
  const signal = AbortSignal.timeout(ANSWER_LIMIT_MS)
  try {
    const verify = new URL('/api/token/verify/', url)
    const headers = { 'content-type': 'application/json' }
    const answer = await fetch(verify, { method: 'POST', headers, body: JSON.stringify({ token }), signal })
    return token !== undefined && answer.status === 200 ? 'ours' : 'foreign'
  } catch {
    return undefined
  }
}

/** Connects to the broker as an operator's page does, and waits until it has answered a subscription. */
export async function findBroker(url: string, token: string, ca: string | undefined): Promise<Finding> {
  const options: IClientOptions = {
    username: OPERATOR_USERNAME,
    password: token,
    clientId: `${OPERATOR_USERNAME}:doctor-${process.pid}`,
    protocolVersion: 4,
    reconnectPeriod: 0,
    connectTimeout: ANSWER_LIMIT_MS,
    ...(ca === undefined ? {} : { ca }),
  }
  const startedMs = performance.now()
  try {
    const client = await connectAsync(url, options)
    try {
      await client.subscribeAsync(TOPIC)
    } finally {
      await client.endAsync(true)
    }
    const tookMs = Math.round(performance.now() - startedMs)
    return good(
      `Courtier ${url}\u00a0: aller-retour en ${tookMs}\u00a0ms`,
      `Broker ${url}: round trip in ${tookMs} ms`,
    )
  } catch (err) {
    return bad(
      `Le courtier ${url} ne répond pas (${reasonOf(err)})\u00a0: redémarrez le serveur et lisez son journal technique.`,
      `The broker ${url} does not answer (${reasonOf(err)}): restart the server and read its log.`,
    )
  }
}
