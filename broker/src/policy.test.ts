import { topicTable, type ClientKind, type TopicName } from '@escale/protocol'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openRoom, own, samples, type RawClient, type Room } from './testing.ts'

/** The contract's table "Who may do what", written again. It is not derived from the topic table. */
const mayPublishOwn: Record<ClientKind, TopicName[]> = {
  station: ['presence', 'heartbeat', 'reported', 'request', 'ack', 'events'],
  automation: ['automationRequest'],
  operator: [],
  diagnostics: [],
}
const mayHearOwn: Record<ClientKind, TopicName[]> = {
  station: ['desired', 'response', 'command', 'config'],
  automation: ['automationResponse', 'domainEvent', 'presence', 'heartbeat', 'reported'],
  operator: ['domainEvent', 'presence', 'heartbeat', 'reported'],
  diagnostics: Object.keys(topicTable) as TopicName[],
}
const mayHearOthers: Record<ClientKind, TopicName[]> = {
  station: ['config'],
  automation: ['domainEvent', 'presence', 'heartbeat', 'reported'],
  operator: ['domainEvent', 'presence', 'heartbeat', 'reported'],
  diagnostics: Object.keys(topicTable) as TopicName[],
}
const mayHearWildcards: Record<ClientKind, string[]> = {
  station: [],
  automation: [
    'escale/v1/events/#',
    'escale/v1/events/+',
    'escale/v1/stations/+/presence',
    'escale/v1/stations/+/heartbeat',
    'escale/v1/stations/+/reported',
  ],
  operator: [
    'escale/v1/events/#',
    'escale/v1/events/+',
    'escale/v1/stations/+/presence',
    'escale/v1/stations/+/heartbeat',
    'escale/v1/stations/+/reported',
  ],
  diagnostics: [
    'escale/v1',
    'escale/v1/#',
    'escale/v1/+/+/request',
    'escale/v1/events/#',
    'escale/v1/events/+',
    'escale/v1/stations/#',
    'escale/v1/stations/+/+',
    'escale/v1/stations/+/presence',
    'escale/v1/stations/+/heartbeat',
    'escale/v1/stations/+/reported',
    'escale/v1/stations/+/desired',
    'escale/v1/stations/+/request',
    'escale/v1/stations/+/response',
    'escale/v1/stations/pc-01/#',
    'escale/v1/automation/+/response',
    '$SYS/#',
    '$SYS/+/new/clients',
  ],
}
const wildcards = [
  ...mayHearWildcards.diagnostics,
  '#',
  '+',
  '+/#',
  '/#',
  'escale/#',
  'escale/+/#',
  'escale/v2/#',
  '$share/all/escale/v1/#',
  'other',
]

const usernames: Record<ClientKind, string> = {
  station: 'pc-01',
  automation: 'flow',
  operator: 'operator',
  diagnostics: 'diag',
}
const kinds = Object.keys(usernames) as ClientKind[]
const names = Object.keys(topicTable) as TopicName[]

/** The client's own level of this topic, or that of another party. */
const partyOf = (kind: ClientKind, name: TopicName, isOwn: boolean) => {
  if (name === 'domainEvent') return 'session.started'
  if (!isOwn) return 'other'
  return kind === 'station' ? 'pc-01' : usernames[kind]
}
const topicFor = (kind: ClientKind, name: TopicName, isOwn: boolean) => own(name, partyOf(kind, name, isOwn))

interface Spoken {
  /** The topic's name in the contract; undefined if it is not in the contract. */
  name: TopicName | undefined
  topic: string
  party: string
}
const parties = ['pc-01', 'flow', 'operator', 'diag', 'other']
const contract: Spoken[] = names.flatMap((name) =>
  (name === 'domainEvent' ? ['session.started', 'session.started/x', 'x', 'x/y'] : parties).map((party) => ({
    name,
    topic: own(name, party),
    party,
  })),
)
/** The same topics with one extra level, or one unknown level. */
const beside: Spoken[] = contract
  .flatMap(({ name, topic, party }) => {
    const levels = topic.split('/')
    const fixed = levels.slice(0, levels.indexOf(party.split('/')[0] ?? party)).map((_, i) => i)
    const foreign = [...fixed, ...(name === 'domainEvent' ? [] : [levels.length - 1])]
    return [
      ...foreign.filter((i) => levels[i] !== party).map((i) => levels.with(i, 'zz').join('/')),
      ...(name === 'domainEvent' ? [] : [`${topic}/zz`]),
    ]
  })
  .map((topic) => ({ name: undefined, topic, party: '' }))
const universe = [...contract, ...beside]

/** A second, simple implementation of MQTT 3.1.1 section 4.7. */
function isMatch(filter: string, topic: string): boolean {
  if (/^[+#]/.test(filter) && topic.startsWith('$')) return false
  const pattern = filter
    .split('/')
    .map((level) => (level === '+' ? '[^/]*' : level.replace(/[.$]/g, '\\$&')))
    .join('/')
    .replace(/\/#$/, '(/.*)?')
    .replace(/^#$/, '.*')
  return new RegExp(`^${pattern}$`).test(topic)
}

function mayHearAll(kind: ClientKind, filter: string): boolean {
  if (kind === 'diagnostics') return /^(escale\/v1(\/|$)|\$SYS\/)/.test(filter)
  const matched = universe.filter(({ topic }) => isMatch(filter, topic))
  const hears = ({ name, party }: Spoken) => {
    const list = party === usernames[kind] ? mayHearOwn[kind] : mayHearOthers[kind]
    return name !== undefined && list.includes(name)
  }
  return matched.length > 0 && matched.every(hears)
}

/** Each topic of the contract with + at any levels, or # after any level. */
const shapes = [
  ...new Set(
    names.flatMap((name) => {
      const levels = own(name, name === 'domainEvent' ? 'session.started' : 'pc-01').split('/')
      const masks = Array.from({ length: 2 ** levels.length }, (_, mask) =>
        levels.map((level, i) => ((mask >> i) & 1 ? '+' : level)),
      )
      const cut = levels.map((_, i) => [...levels.slice(0, i), '#'])
      return [...masks, ...cut, [...levels, '#'], [...levels, 'x']].map((parts) => parts.join('/'))
    }),
  ),
]

let room: Room
beforeAll(async () => {
  room = await openRoom()
})
afterAll(() => room.broker.close())

/** Clients that get an error message for a violation. Others are disconnected. */
const isAccount = (kind: ClientKind) => kind === 'automation' || kind === 'diagnostics'

/** Whether something is allowed. A refusal closes the connection, except that of an account. */
async function attempt(kind: ClientKind, what: (client: RawClient) => Promise<boolean>): Promise<boolean> {
  const client = await room.login(usernames[kind])
  const isDone = await what(client)
  if (isDone || isAccount(kind)) client.send({ cmd: 'disconnect' })
  await client.closed
  return isDone
}

/** Whether a message is acknowledged and no refusal is sent for it. */
async function mayPublish(kind: ClientKind, topic: string, payload: object | string, retain = false) {
  return attempt(kind, async (client) => {
    const told = own('automationResponse', usernames[kind])
    if (isAccount(kind)) await client.subscribe(told)
    if (!(await client.publish(topic, payload, { retain }))) return false
    expect(await client.settled()).toBe(true)
    const refusals = client.messages.filter((message) => message.topic === told)
    for (const { payload: text } of refusals) {
      const { error } = JSON.parse(text) as { error: { code: string } }
      if (error.code === 'topic-forbidden') return false
    }
    return true
  })
}

describe.each(kinds)('%s', (kind) => {
  test.each(names)('publishes on its %s only where the contract says so', async (name) => {
    const before = room.received.length
    const isAllowed = mayPublishOwn[kind].includes(name)
    const topic = topicFor(kind, name, true)
    expect(await mayPublish(kind, topic, samples[name])).toBe(isAllowed)
    expect(room.received.slice(before).map((message) => message.name)).toEqual(isAllowed ? [name] : [])
  })

  test.each(names)('never publishes on the %s of another', async (name) => {
    const before = room.received.length
    const topic = topicFor(kind, name, false)
    expect(await mayPublish(kind, topic, samples[name])).toBe(false)
    expect(room.received.length).toBe(before)
  })

  test.each(names)('sets a will on %s only where it may publish', async (name) => {
    for (const isOwn of [true, false]) {
      const username = usernames[kind]
      const will = {
        topic: topicFor(kind, name, isOwn),
        payload: JSON.stringify(samples[name]),
        qos: 1 as const,
      }
      const isLetIn = await room.login(username, { will }).then(
        (client) => {
          client.send({ cmd: 'disconnect' })
          return client.closed.then(() => true)
        },
        () => false,
      )
      expect(isLetIn).toBe(isOwn && mayPublishOwn[kind].includes(name))
    }
  })

  test.each(names)('receives its own %s only where the contract says so', async (name) => {
    const topic = topicFor(kind, name, true)
    expect(await attempt(kind, (client) => client.subscribe(topic))).toBe(mayHearOwn[kind].includes(name))
  })

  test.each(names)('receives the %s of another only where the contract says so', async (name) => {
    const topic = topicFor(kind, name, false)
    expect(await attempt(kind, (client) => client.subscribe(topic))).toBe(mayHearOthers[kind].includes(name))
  })

  test.each(wildcards)('subscribes to %s only where the contract says so', async (filter) => {
    const isAllowed = mayHearWildcards[kind].includes(filter)
    expect(await attempt(kind, (client) => client.subscribe(filter))).toBe(isAllowed)
  })

  test.each(names)('clears no retained %s, not even its own', async (name) => {
    const before = room.received.length
    for (const isOwn of [true, false]) {
      const topic = topicFor(kind, name, isOwn)
      const isTaken = await mayPublish(kind, topic, '', true)
      expect(isTaken, topic).toBe(isOwn && mayPublishOwn[kind].includes(name))
    }
    // An allowed publish is acknowledged, but an empty payload is not processed.
    expect(room.received.length).toBe(before)
  })

  test('subscribes to a filter only if it may receive all topics that match', async () => {
    const wrong: string[] = []
    for (const filter of shapes) {
      const isAllowed = mayHearAll(kind, filter)
      if ((await attempt(kind, (client) => client.subscribe(filter))) !== isAllowed)
        wrong.push(`${filter} should be ${isAllowed ? 'granted' : 'refused'}`)
    }
    expect(wrong).toEqual([])
  })

  test.each([
    'escale/v1/#/x',
    'escale/v1/stations+',
    'escale/v1/#x',
    'escale/v1/+x/#',
    '$share/a/escale/v1/#',
    '',
  ])('does not subscribe to %j, which is not a valid filter', async (filter) => {
    const client = await room.login(usernames[kind])
    expect(await client.subscribe(filter)).toBe(false)
    client.cut()
  })

  test('cannot set a will with a wildcard, under $SYS, or outside the contract', async () => {
    for (const topic of ['escale/v1/#', 'escale/v1/stations/+/presence', '$SYS/x', 'x']) {
      const will = { topic, payload: '{}', qos: 1 as const }
      await expect(room.login(usernames[kind], { will }), topic).rejects.toThrow()
    }
  })

  test('publishes on nothing outside the contract', async () => {
    for (const topic of [
      '$SYS/x',
      'escale/v1',
      'escale/v1/stations/pc-01',
      'escale/v1/stations/pc-01/presence/x',
      '',
    ]) {
      expect(await mayPublish(kind, topic, {})).toBe(false)
    }
  })
})

test('one filter outside the policy among good ones closes the connection', async () => {
  const filters = [own('desired'), own('desired', 'pc-02')]
  expect(await attempt('station', (client) => client.subscribe(...filters))).toBe(false)
})

describe('an account', () => {
  const refused = (client: RawClient) =>
    client.messages.map(({ topic, payload }) => ({ topic, ...(JSON.parse(payload) as object) }))

  test('gets the permitted filters of one SUBSCRIBE, and a refusal for the others', async () => {
    const client = await room.login('flow')
    const subscriptions = [
      'escale/v1/events/#',
      'escale/v1/#',
      own('presence', '+'),
      own('desired', '+'),
    ].map((topic) => ({ topic, qos: 1 as const }))
    client.send({ cmd: 'subscribe', messageId: 9, subscriptions })
    expect(await client.next('suback')).toMatchObject({ messageId: 9, granted: [1, 128, 1, 128] })
    expect(await client.settled()).toBe(true)
    client.cut()
  })

  test.each(['flow', 'diag'])(
    '%s gets an error for each publish outside the policy, and stays connected',
    async (username) => {
      const client = await room.login(username, { clientId: `${username}:a` })
      await client.subscribe(own('automationResponse', username))
      const before = room.broker.stats()
      const topic = own('desired')
      expect(await client.publish(topic, { ...samples.desired, id: 'r7' })).toBe(true)
      expect(await client.publish(topic, 'no JSON')).toBe(true)
      client.send({ cmd: 'publish', topic, payload: '{}', qos: 2, messageId: 9, retain: false, dup: false })
      await client.next('pubrec')
      client.send({ cmd: 'pubrel', messageId: 9 })
      await client.next('pubcomp')
      expect(await client.settled()).toBe(true)
      const answer = { topic: own('automationResponse', username), ok: false }
      const error = expect.objectContaining({ code: 'topic-forbidden', topic }) as unknown
      expect(refused(client)).toEqual([
        { ...answer, id: 'r7', error },
        { ...answer, error },
        { ...answer, error },
      ])
      const { policyViolations, dropped } = room.broker.stats()
      expect(policyViolations - before.policyViolations).toBe(3)
      expect(dropped - before.dropped).toBe(3)
      const lines = room.lines.filter(
        ({ msg, clientId }) => msg === 'publish outside the policy' && clientId === `${username}:a`,
      )
      expect(lines).toHaveLength(1)
      client.cut()
    },
  )

  test('gets the error also under its full client id', async () => {
    const client = await room.login('flow', { clientId: 'flow:a' })
    await client.subscribe(own('automationResponse', 'flow:a'))
    await client.publish('elsewhere', {})
    await client.settled()
    expect(refused(client)).toMatchObject([{ ok: false, error: { code: 'topic-forbidden' } }])
    client.cut()
  })

  test('gets an error for an invalid request, with its id if that can be read', async () => {
    const client = await room.login('flow')
    await client.subscribe(own('automationResponse', 'flow'))
    const ask = (payload: object | string) => client.publish(own('automationRequest', 'flow'), payload)
    for (const payload of ['{', '', '[]', { id: 'r1' }, { id: 7, op: 'time' }]) await ask(payload)
    await client.settled()
    expect(refused(client)).toMatchObject([
      { ok: false, error: { code: 'malformed-json' } },
      { ok: false, error: { code: 'malformed-json' } },
      { ok: false, error: { code: 'invalid-body' } },
      { ok: false, id: 'r1', error: { code: 'invalid-body' } },
      { ok: false, error: { code: 'invalid-body' } },
    ])
    expect(refused(client).map((answer) => 'id' in answer)).toEqual([false, false, false, true, false])
    client.cut()
  })

  test('can ask with one client and receive the answer with another', async () => {
    const asks = await room.login('flow', { clientId: 'flow:a' })
    const hears = await room.login('flow', { clientId: 'flow:b' })
    for (const party of ['flow', 'flow:a', 'flow:b']) {
      expect(await hears.subscribe(own('automationResponse', party))).toBe(true)
      const before = room.received.length
      expect(await asks.publish(own('automationRequest', party), samples.automationRequest)).toBe(true)
      expect(room.received.slice(before)).toMatchObject([{ party, principal: { id: 'flow' } }])
      await room.broker.publish('automationResponse', party, { id: 'r1', ok: true, data: {} })
    }
    await expect
      .poll(() => hears.messages.map(({ topic }) => topic))
      .toEqual(['flow', 'flow:a', 'flow:b'].map((party) => own('automationResponse', party)))
    for (const party of ['flower', 'flo', 'flow2:a'])
      expect(await hears.subscribe(own('automationResponse', party)), party).toBe(false)
    for (const client of [asks, hears]) client.cut()
  })
})

test('a station gets an error for an invalid request only if it has an id', async () => {
  const station = await room.login('pc-01')
  await station.subscribe(own('response'))
  for (const payload of ['{', { id: 'r1' }, { op: 'time' }]) await station.publish(own('request'), payload)
  await station.settled()
  const answers = station.messages.map(({ payload }) => JSON.parse(payload) as object)
  expect(answers).toMatchObject([{ id: 'r1', ok: false, error: { code: 'invalid-body' } }])
  station.cut()
})

test('a policy violation is logged with its client and topic', async () => {
  await attempt('station', (client) => client.publish(own('desired'), samples.desired))
  expect(room.lines).toContainEqual(
    expect.objectContaining({
      reason: 'publish outside the policy',
      clientId: 'pc-01',
      topic: own('desired'),
    }),
  )
})

test('requests and responses reach only their party, not clients that subscribe to everything', async () => {
  const room = await openRoom()
  const diagnostics = await room.login('diag')
  await diagnostics.subscribe('escale/v1/#', '$SYS/#', own('request'), own('response'))
  const station = await room.login('pc-01')
  const beside = await room.login('pc-01', { clientId: 'pc-01:screen' })
  const flow = await room.login('flow')
  const sibling = await room.login('flow', { clientId: 'flow:b' })
  for (const client of [station, beside]) await client.subscribe(own('response'))
  await flow.subscribe(own('automationResponse', 'flow'))
  await sibling.subscribe(own('automationResponse', 'flow:b'))

  await station.publish(own('request'), samples.request)
  await flow.publish(own('automationRequest', 'flow'), samples.automationRequest)
  await room.broker.publish('response', 'pc-01', { id: 'r1', ok: true, data: {} })
  await room.broker.publish('automationResponse', 'flow', { id: 'r1', ok: true, data: {} })
  await room.broker.publish('command', 'pc-01', {
    id: 'c1',
    op: 'lock',
    params: {},
    expiresAt: '2026-01-01T08:00:00Z',
  })

  await diagnostics.next('publish')
  for (const client of [diagnostics, station, beside, flow, sibling]) await client.settled()
  const heard = (client: RawClient) =>
    client.messages.map(({ topic }) => topic).filter((topic) => topic.startsWith('escale'))
  expect(heard(diagnostics)).toEqual([own('command')])
  expect(heard(station)).toEqual([own('response')])
  expect(heard(beside)).toEqual([own('response')])
  expect(heard(flow)).toEqual([own('automationResponse', 'flow')])
  expect(heard(sibling)).toEqual([])
  await room.broker.close()
})
