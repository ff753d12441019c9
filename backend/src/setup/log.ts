import { destination, pino, type Logger } from 'pino'

/** Never logged. Failed database statements are among them, since they quote names and hashes. */
const redacted = [
  'req.headers.authorization',
  '*.password',
  '*.mqttSecret',
  '*.accessCode',
  '*.token',
  'params.code',
  'body.code',
  'err.sql',
  'err.parameters',
  'err.parent',
  'err.original',
]

/** The server's log, on stderr: JSON for services, readable lines on a terminal. */
export async function openLog(level: string): Promise<Logger> {
  const options = { level, redact: redacted }
  if (!process.stderr.isTTY) return pino(options, destination({ dest: 2, sync: true }))
  // Loaded only here: services do not need it.
  const { prettyFactory } = await import('pino-pretty')
  const pretty = prettyFactory({ colorize: true, ignore: 'pid,hostname', translateTime: 'SYS:HH:MM:ss' })
  return pino(options, { write: (line) => void process.stderr.write(pretty(line)) })
}
