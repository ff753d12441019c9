import { Type, type Static, type TSchema } from 'typebox'
import { Check, Convert, Default } from 'typebox/value'
import { SetupError } from '../errors.ts'
import { trustOf } from '../http/client-address.ts'

const port = (value: number, description: string) =>
  // Converting to an integer would silently drop decimals.
  Type.Number({ minimum: 0, maximum: 65_535, multipleOf: 1, default: value, description })

/** Every setting of a deployment, with its default. A test keeps `.env.example` equal to this. */
export const Environment = Type.Object({
  ESCALE_DATA_DIR: Type.String({
    minLength: 1,
    default: './data',
    description: 'database, keys, certificates',
  }),
  ESCALE_HOST: Type.String({
    minLength: 1,
    default: '127.0.0.1',
    description: 'what every listener binds; 0.0.0.0 serves the site’s network',
  }),
  ESCALE_HTTP_PORT: port(3000, 'REST, WebSocket, admin'),
  ESCALE_HTTPS_PORT: port(3443, 'the same over TLS'),
  ESCALE_MQTT_PORT: port(1883, 'MQTT broker'),
  ESCALE_MQTTS_PORT: port(8883, 'MQTT broker over TLS'),
  ESCALE_PLAIN_LAN: Type.Boolean({ default: false, description: 'plain HTTP and MQTT beyond loopback' }),
  ESCALE_PUBLIC_URL: Type.String({
    default: '',
    description: 'address of this server as stations and browsers know it',
  }),
  ESCALE_TRUST_PROXY: Type.String({
    default: '',
    description: 'addresses of proxies whose forwarded addresses count',
  }),
  DATABASE_URL: Type.String({
    default: '',
    description: 'postgres://… where one machine is outgrown; a SQLite file in the data folder otherwise',
  }),
  ESCALE_REDIS_URL: Type.String({
    default: '',
    description: 'redis://… through which several servers of one PostgreSQL work together',
  }),
  ESCALE_ADMIN_USERNAME: Type.String({
    minLength: 1,
    default: 'admin',
    description: 'first operator, at first start only',
  }),
  ESCALE_ADMIN_PASSWORD: Type.String({
    default: '',
    description: 'first operator’s password, at first start only; drawn and printed once otherwise',
  }),
  ESCALE_ENROLMENT_KEY: Type.String({
    default: '',
    description: 'site key, at first start only; drawn and kept in the data folder otherwise',
  }),
  ESCALE_BACKUP_DIR: Type.String({
    default: '',
    description: 'folder of a backup each night; none without it',
  }),
  ESCALE_BACKUP_KEEP: Type.Number({
    minimum: 1,
    maximum: 10_000,
    multipleOf: 1,
    default: 14,
    description: 'so many of these backups are kept',
  }),
  ESCALE_LOG_LEVEL: Type.String({
    enum: ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'],
    default: 'info',
    description: 'pino',
  }),
})
export type Environment = Static<typeof Environment>

/**
 * Reads the settings; an empty variable counts as missing.
 * @throws SetupError that names each invalid variable
 */
export function readEnvironment(variables: NodeJS.ProcessEnv): Environment {
  const given = Object.fromEntries(
    Object.keys(Environment.properties).flatMap((name) => (variables[name] ? [[name, variables[name]]] : [])),
  )
  const values: unknown = Convert(Environment, Default(Environment, given))
  if (Check(Environment, values)) return requireCommonDatabase(requireAddresses(values))
  const wrong = Object.entries(Environment.properties).flatMap(([name, schema]) => {
    const value = (values as Record<string, unknown>)[name]
    return Check(schema, value) ? [] : [{ name, given: String(value), ...wantedBy(schema) }]
  })
  throw new SetupError(
    `Réglage non valable\u00a0: ${wrong.map(({ name, given, french }) => `${name} doit être ${french}, pas «\u202f${given}\u202f»`).join('\u202f; ')}.`,
    `Invalid setting: ${wrong.map(({ name, given, english }) => `${name} must be ${english}, not “${given}”`).join('; ')}.`,
  )
}

/** What a setting must be, in words. No setting that can be wrong here holds a secret. */
function wantedBy(schema: TSchema): { french: string; english: string } {
  if ('enum' in schema) {
    const choices = (schema.enum as string[]).join(', ')
    return { french: `l’un de\u00a0: ${choices}`, english: `one of: ${choices}` }
  }
  if ('minimum' in schema && 'maximum' in schema)
    return {
      french: `un nombre entier de ${String(schema.minimum)} à ${String(schema.maximum)}`,
      english: `a whole number from ${String(schema.minimum)} to ${String(schema.maximum)}`,
    }
  return { french: 'true ou false', english: 'true or false' }
}

const isUrlOf = (value: string, ...schemes: string[]) =>
  URL.canParse(value) && schemes.includes(new URL(value).protocol)

function areProxies(value: string): boolean {
  try {
    trustOf(value)
    return true
  } catch {
    return false
  }
}

/** Settings that are addresses: how to check each, and an example. */
const addresses = [
  {
    name: 'DATABASE_URL',
    isRight: (value) => isUrlOf(value, 'postgres:', 'postgresql:', 'sqlite:'),
    example: 'postgres://escale:…@localhost/escale',
  },
  {
    name: 'ESCALE_REDIS_URL',
    isRight: (value) => isUrlOf(value, 'redis:', 'rediss:'),
    example: 'redis://localhost:6379',
  },
  {
    name: 'ESCALE_PUBLIC_URL',
    isRight: (value) => isUrlOf(value, 'http:', 'https:'),
    example: 'https://escale.exemple.fr',
  },
  {
    name: 'ESCALE_TRUST_PROXY',
    isRight: areProxies,
    example: '192.168.1.2, 10.0.0.0/8',
  },
] as const satisfies { name: keyof Environment; isRight: (value: string) => boolean; example: string }[]

/** The message does not show the value: it may hold a password. */
function requireAddresses(environment: Environment): Environment {
  const wrong = addresses.filter(
    ({ name, isRight }) => environment[name] !== '' && !isRight(environment[name]),
  )
  if (wrong.length === 0) return environment
  const shown = wrong.map(({ name, example }) => `${name}=${example}`).join('; ')
  throw new SetupError(
    `Réglage non valable\u00a0: il faut une adresse telle que ${shown}`,
    `Invalid setting: an address is needed, such as ${shown}`,
  )
}

/** Several servers of one site need one database that all of them reach. */
function requireCommonDatabase(environment: Environment): Environment {
  const { ESCALE_REDIS_URL, DATABASE_URL } = environment
  if (!ESCALE_REDIS_URL || /^postgres(ql)?:/.test(DATABASE_URL)) return environment
  throw new SetupError(
    'ESCALE_REDIS_URL ne sert qu’avec PostgreSQL\u00a0: donnez aussi DATABASE_URL=postgres://…, ou retirez-le.',
    'ESCALE_REDIS_URL is for PostgreSQL only: give DATABASE_URL=postgres://... as well, or remove it.',
  )
}
