import { AccountInput, operatorRoles, printable, type Account } from '@escale/protocol'
import { pino } from 'pino'
import { Check } from 'typebox/value'
import { databaseUrlOf } from './app-options.ts'
import { createMonotonicClock } from './clock.ts'
import { EXIT_USAGE, isDatabaseHere, runCommand } from './command.ts'
import { openDatabase } from './db/database.ts'
import { AppError, messageOf } from './errors.ts'
import { createAppEvents } from './events.ts'
import { createAccountRepository, createAccountService } from './features/accounts/index.ts'
import { createJournal, createLogRepository, systemActor } from './features/logs/index.ts'
import { createUsernameRepository, createUsernames } from './features/usernames/index.ts'

const HELP = `npm run account create NAME viewer|operator|admin [LABEL]
    Crée un compte d’automatisation, qui peut demander ce que son rôle permet.
    Creates an automation account, which may ask for what its role allows.
npm run account create NAME diagnostics [LABEL]
    Crée un compte de diagnostic, qui écoute tout et ne demande rien.
    Creates a diagnostics account, which hears everything and asks for nothing.
npm run account list
    Montre les comptes. · Shows the accounts.
npm run account renew NAME
    Tire un nouveau secret\u00a0; l’ancien ne vaut plus rien. · Draws another secret; the old one is void.
npm run account disable NAME · npm run account enable NAME
    Coupe un compte, le rétablit. · Cuts an account off, lets it in again.
npm run account delete NAME
    Supprime un compte. · Deletes an account.

NAME\u00a0: a-z 0-9 - (32). Un serveur en marche en tient compte en deux secondes.
A running server takes it into account within two seconds.
`
class UsageError extends Error {}

const [verb = '', name = '', ...rest] = process.argv.slice(2)

if (['', 'help', '--help', '-h'].includes(verb)) process.stdout.write(HELP)
else
  await runCommand((environment) =>
    isDatabaseHere(environment) ? work(databaseUrlOf(environment), environment.ESCALE_MQTT_PORT) : EXIT_USAGE,
  )

async function work(databaseUrl: string, mqttPort: number): Promise<number> {
  const database = await openDatabase(databaseUrl, pino({ level: 'silent' }))
  const clock = createMonotonicClock()
  const accounts = createAccountService({
    database,
    repository: createAccountRepository(database),
    usernames: createUsernames(createUsernameRepository(database)),
    journal: createJournal(database, createLogRepository(database), createAppEvents(), clock),
    clock,
  })
  try {
    await carryOut(accounts, mqttPort)
    return 0
  } catch (err) {
    if (err instanceof UsageError) process.stderr.write(HELP)
    else if (err instanceof AppError) process.stderr.write(`${sentencesOf(err).join('\n')}\n`)
    else throw err
    return err instanceof UsageError ? EXIT_USAGE : 1
  } finally {
    await database.close()
  }
}

async function carryOut(accounts: ReturnType<typeof createAccountService>, mqttPort: number): Promise<void> {
  if (name === '' && verb !== 'list') throw new UsageError()
  switch (verb) {
    case 'create': {
      const { secret } = await accounts.create(inputOf(), systemActor)
      tellSecret('créé', 'created', secret, mqttPort)
      return
    }
    case 'renew': {
      const { secret } = await accounts.renewSecret(name, systemActor)
      tellSecret('renouvelé', 'renewed', secret, mqttPort)
      return
    }
    case 'disable':
    case 'enable': {
      const isActive = verb === 'enable'
      await accounts.setActive(name, isActive, systemActor)
      tell(isActive ? 'rétabli' : 'coupé', isActive ? 'enabled' : 'disabled')
      return
    }
    case 'delete':
      await accounts.remove(name, systemActor)
      tell('supprimé', 'deleted')
      return
    case 'list':
      return list(accounts)
    default:
      throw new UsageError()
  }
}

async function list(accounts: ReturnType<typeof createAccountService>): Promise<void> {
  for (let page = 1; ; page += 1) {
    const { count, rows } = await accounts.list({}, { page, pageSize: 200 })
    if (count === 0) process.stdout.write('Aucun compte. · No account.\n')
    for (const row of rows) process.stdout.write(`${lineOf(row)}\n`)
    if (page * 200 >= count) return
  }
}

function lineOf({ id, kind, role, isActive, label }: Account): string {
  const state = isActive ? 'actif · active' : 'coupé · disabled'
  return [id.padEnd(32), (role ?? kind).padEnd(11), state.padEnd(18), printable(label)].join(' ')
}

/** @throws UsageError when the words of the command line make no account */
function inputOf(): AccountInput {
  const [what = '', ...words] = rest
  const role = operatorRoles.find((one) => one === what)
  const label = words.join(' ') || name
  const input = role
    ? { id: name, kind: 'automation' as const, label, role }
    : { id: name, kind: 'diagnostics' as const, label }
  if ((!role && what !== 'diagnostics') || !Check(AccountInput, input)) throw new UsageError()
  return input
}

function tell(fr: string, en: string): void {
  process.stdout.write(`Compte «\u202f${name}\u202f» ${fr}. · Account “${name}” ${en}.\n`)
}

function tellSecret(fr: string, en: string, secret: string, mqttPort: number): void {
  tell(fr, en)
  process.stdout.write(
    `Secret, affiché une seule fois\u00a0: · Secret, shown only once:\n  ${secret}\n` +
      `mosquitto_sub -h 127.0.0.1 -p ${mqttPort} -i ${name} -u ${name} -P ${secret} -t 'escale/v1/events/#'\n`,
  )
}

function sentencesOf(err: AppError): string[] {
  if (err.code === 'not-found')
    return [
      `Aucun compte «\u202f${name}\u202f»\u00a0: npm run account list les montre.`,
      `No account “${name}”: npm run account list shows them.`,
    ]
  const fields = (err.extras.errors ?? []).flatMap(({ message }) => [message.fr, message.en])
  return fields.length > 0 ? fields : [messageOf(err, 'fr'), messageOf(err, 'en')]
}
