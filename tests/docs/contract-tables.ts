import {
  automationOps,
  clientFrames,
  contentsOf,
  errorTable,
  restApi,
  serverFrames,
  stationOps,
  topicTable,
  type Endpoint,
  type ErrorCode,
  type TopicRule,
} from '@escale/protocol'

type Fields = Record<string, object>

const code = (text: string) => `\`${text}\``

/** Fields of an object, with `?` after the optional ones. */
function fieldsOf(schema: object | undefined): string {
  const fields = Object.entries((schema as { properties?: Fields } | undefined)?.properties ?? {})
  const required = (schema as { required?: string[] } | undefined)?.required ?? []
  return (
    fields
      // Fields with an empty schema are accepted and ignored, so they are not listed.
      .filter(([, field]) => Object.keys(field).length > 0)
      .map(([name]) => (required.includes(name) ? name : `${name}?`))
      .join(', ')
  )
}

const table = (head: string[], rows: string[][]) =>
  [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n')

function rowOfEndpoint([name, endpoint]: [string, Endpoint]): string[] {
  const { method, path, summary, access, guests = [], body, page } = endpoint
  const statuses = Object.keys(contentsOf(endpoint)).join(', ')
  return [
    code(name),
    code(`${method} ${path}`),
    summary,
    [access, ...guests].join(', '),
    body ? code(`{${fieldsOf(body)}}`) : '',
    page ? `${statuses}, a list` : statuses,
  ]
}

const endpoints = Object.entries(restApi)
  .map(([group, of]) => {
    const head = ['name', 'call', 'what', 'who', 'body', 'answers']
    return `**${group}**\n\n${table(head, Object.entries<Endpoint>(of).map(rowOfEndpoint))}`
  })
  .join('\n\n')

const topics = table(
  ['topic', 'QoS', 'retained', 'may publish', 'may subscribe', 'payload'],
  Object.values<TopicRule>(topicTable).map(({ pattern, qos, retain, publishers, subscribers, payload }) => [
    code(pattern),
    String(qos),
    retain ? 'yes' : 'no',
    publishers.length > 0 ? publishers.join(', ') : 'the server alone',
    subscribers.length > 0 ? subscribers.join(', ') : 'the server alone',
    code(`{${fieldsOf(payload)}}`),
  ]),
)

const ops = (of: Record<string, { params: object; data: object; role?: string }>) =>
  table(
    ['op', 'params', 'answers', 'lowest role'],
    Object.entries(of).map(([name, { params, data, role = '–' }]) => [
      code(name),
      code(`{${fieldsOf(params)}}`),
      code(`{${fieldsOf(data)}}`),
      role,
    ]),
  )

const frames = (of: Record<string, object>) =>
  table(
    ['frame', 'fields'],
    Object.entries(of).map(([name, schema]) => [code(name), code(`{${fieldsOf(schema)}}`)]),
  )

const errors = table(
  ['code', 'status', 'title'],
  (Object.keys(errorTable) as ErrorCode[]).map((name) => [
    code(name),
    String(errorTable[name].status),
    errorTable[name].title.en,
  ]),
)

/** The tables of docs/contract.md by name, as Markdown, generated from the definitions that the programs use. */
export const contractTables: Record<string, string> = {
  endpoints,
  errors,
  'client-frames': frames(clientFrames),
  'server-frames': frames(serverFrames),
  topics,
  'station-ops': ops(stationOps),
  'automation-ops': ops(automationOps),
}

/** The page with each table between `<!-- table: name -->` and `<!-- end -->` generated again. */
export function withTables(page: string): string {
  return page.replace(
    /(<!-- table: ([\w-]+) -->\n)[\s\S]*?(<!-- end -->)/g,
    (_all, begin: string, name: string, end: string) => `${begin}\n${contractTables[name] ?? ''}\n\n${end}`,
  )
}
