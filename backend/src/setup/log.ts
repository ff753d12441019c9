import { destination, pino, type Logger } from 'pino'

/** Never in the log, wherever they turn up; a failed statement of the database quotes names and hashes. */
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

/** The server's log, on the error output: JSON for services, lines to be read for whoever sits at a terminal. */
export async function openLog(level: string): Promise<Logger> {
  const options = { level, redact: redacted }
  if (!process.stderr.isTTY) return pino(options, destination({ dest: 2, sync: true }))
  // Loaded where it is needed: a service never does.
  const { prettyFactory } = await import('pino-pretty')
  const pretty = prettyFactory({ colorize: true, ignore: 'pid,hostname', translateTime: 'SYS:HH:MM:ss' })
  return pino(options, { write: (line) => void process.stderr.write(pretty(line)) })
}
