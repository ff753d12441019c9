import type { Rule } from 'eslint'
import type { Literal, Property, TemplateElement } from 'estree'

/** Which folder of backend/src writes a table. The others ask it. */
export const OWNERS: Record<string, readonly string[]> = {
  'features/accounts': ['accounts'],
  'features/archives': ['archives'],
  'features/auth': ['refreshTokens', 'signInAddresses'],
  'features/clock-steps': ['serverClock'],
  'features/commands': ['commands'],
  'features/enrolment': ['bootTokens', 'pairingRequests', 'siteKeys'],
  'features/jobs': ['jobRuns'],
  'features/logs': ['logs', 'logTexts', 'logNotes', 'logCheckpoints'],
  'features/operators': ['operators'],
  'features/reports': ['reports'],
  'features/room': ['stationPresences'],
  'features/sessions': ['sessions', 'sessionGrants', 'sessionProfiles'],
  'features/settings': ['settings'],
  'features/staff-calls': ['staffCalls'],
  'features/stations': ['stations', 'retiredStations', 'revokedSecrets'],
  'features/throttles': ['throttles'],
  'features/users': ['users'],
  'gateways/answers': ['answeredRequests'],
  'gateways/stations': ['stationEvents'],
}

/** Joins that may read tables of others, each with its reason. Nothing may write them. */
export const READS: readonly { file: string; tables: readonly string[]; why: string }[] = [
  {
    file: 'features/sessions/code-repository.ts',
    tables: ['users', 'throttles'],
    why: 'Codes are typed often: one statement judges a code, its counters and the name to show.',
  },
  {
    file: 'features/stations/repository.ts',
    tables: ['staffCalls', 'users', 'sessions'],
    why: 'Each change of a station raises its version: one statement returns what its document shows.',
  },
  {
    file: 'features/sessions/past-repository.ts',
    tables: ['stations'],
    why: 'Statistics group thousands of sessions by station.',
  },
  {
    file: 'features/users/repository.ts',
    tables: ['sessions'],
    why: 'A list of users is filtered by their open sessions before it is cut into pages.',
  },
]

const snakeCase = (table: string) => table.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)
const ownerOf = new Map(
  Object.entries(OWNERS).flatMap(([folder, tables]) => tables.map((table) => [table, folder])),
)
const tableOf = new Map([...ownerOf.keys()].map((table) => [snakeCase(table), table]))

const SQL_TABLE = /\b(FROM|JOIN|INTO|UPDATE)\s+(\w+)/g
const SQL_OPEN = /\b(FROM|JOIN|INTO|UPDATE)\s*$/
const FROM_MODELS = [
  "Property[key.name='models'] > ObjectPattern > Property",
  "VariableDeclarator[init.name='models'] > ObjectPattern > Property",
  "VariableDeclarator[init.property.name='models'] > ObjectPattern > Property",
].join(', ')
const MODEL =
  ":matches(MemberExpression[object.name='models'], MemberExpression[object.property.name='models'])"
const ALL_MODELS = [
  `${MODEL}[computed=true]`,
  "VariableDeclarator[id.type='Identifier'][init.property.name='models']",
  "CallExpression > Identifier[name='models']",
  "CallExpression > MemberExpression[property.name='models']",
].join(', ')

/** A feature names only its own tables, as models and in SQL. */
export const tableOwners: Rule.RuleModule = {
  meta: {
    type: 'problem',
    schema: [],
    messages: {
      owner: '{{table}} belongs to {{owner}}: ask it.',
      unnamed: 'Name the table, so that its owner can be checked.',
    },
  },
  create(context) {
    const [, file = ''] = context.filename.replaceAll('\\', '/').split('backend/src/')

    function check(node: Rule.Node, table: string, mayRead: boolean): void {
      const owner = ownerOf.get(table)
      if (owner === undefined || file.startsWith(`${owner}/`)) return
      if (mayRead && READS.some((read) => read.file === file && read.tables.includes(table))) return
      context.report({ node, messageId: 'owner', data: { table, owner } })
    }

    function checkText(node: Rule.Node, text: string, isOpen: boolean): void {
      for (const [, verb, name = ''] of text.matchAll(SQL_TABLE)) {
        const isDelete = new RegExp(`DELETE\\s+FROM\\s+${name}`).test(text)
        check(node, tableOf.get(name) ?? '', !isDelete && (verb === 'FROM' || verb === 'JOIN'))
      }
      if (isOpen && SQL_OPEN.test(text)) context.report({ node, messageId: 'unnamed' })
    }

    return {
      [FROM_MODELS]: (node: Property & Rule.NodeParentExtension) => {
        if (node.key.type === 'Identifier') check(node, node.key.name, false)
      },
      [`${MODEL} > Identifier.property`]: (node: Rule.Node) => {
        if (node.type === 'Identifier') check(node, node.name, false)
      },
      "CallExpression[callee.name='openTable'] > Literal": (node: Literal & Rule.NodeParentExtension) => {
        check(node, String(node.value), false)
      },
      [ALL_MODELS]: (node: Rule.Node) => {
        context.report({ node, messageId: 'unnamed' })
      },
      Literal(node: Literal & Rule.NodeParentExtension) {
        if (typeof node.value === 'string') checkText(node, node.value, false)
      },
      TemplateElement(node: TemplateElement & Rule.NodeParentExtension) {
        checkText(node, node.value.cooked ?? '', !node.tail)
      },
    }
  },
}
