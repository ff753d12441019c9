import { AccountInput, operatorRoles } from '@escale/protocol'
import { Check } from 'typebox/value'
import { databaseUrlOf } from '../setup/app-options.ts'
import { createMonotonicClock } from '../clock.ts'
import { EXIT_USAGE, isDatabaseHere, runCommand } from './command.ts'
import type { Store } from '../db/database.ts'
import type { AccountRow } from '../db/rows.ts'
import { withDatabase } from '../db/with-database.ts'
import { AppError, messageOf } from '../errors.ts'
import { createAppEvents } from '../events.ts'
import {
  createAccountRepository,
  createAccounts,
  type AccountService,
  type DrawnSecret,
} from '../features/accounts/index.ts'
import { createJournal, createLogRepository, systemActor } from '../features/logs/index.ts'
import { createStationRepository } from '../features/stations/index.ts'
import { createUsernames } from '../features/usernames/index.ts'
import { complain, say } from './terminal.ts'

const HELP = `npm run account create NAME viewer|operator|admin [LABEL]
    Crée un compte d’automatisation, qui peut demander ce que son rôle permet.
    Creates an automation account, which may ask for what its role allows.
npm run account create NAME diagnostics [LABEL]
    Crée un compte de diagnostic, qui écoute tout et ne demande rien.
    Creates a diagnostics account, which hears everything and asks for nothing.
npm run account create NAME netboot [LABEL]
    Crée un compte d’amorçage, qui tire les jetons de démarrage des postes sans disque, et rien d’autre.
    Creates a netboot account, which draws boot tokens of diskless stations, and nothing else.
npm run account list
    Montre les comptes. · Shows the accounts.
npm run account renew NAME
    Tire un nouveau secret\u00a0; l’ancien ne vaut plus rien. · Draws another secret; the old one is void.
npm run account disable NAME · npm run account enable NAME
    Coupe un compte, le rétablit. · Cuts an account off, lets it in again.
npm run account delete NAME
    Supprime un compte. · Deletes an account.

NAME\u00a0: a-z 0-9 - (32). Un serveur en marche en tient compte en deux secondes.
A running server takes it into account within two seconds.`
class UsageError extends Error {}

const [verb = '', name = '', ...rest] = process.argv.slice(2)

if (['', 'help', '--help', '-h'].includes(verb)) say(HELP)
else
  await runCommand((environment) =>
    isDatabaseHere(environment) ? work(databaseUrlOf(environment), environment.ESCALE_MQTT_PORT) : EXIT_USAGE,
  )

async function work(databaseUrl: string, mqttPort: number): Promise<number> {
  try {
    await withDatabase(databaseUrl, (database) => carryOut(accountsIn(database, mqttPort), mqttPort))
    return 0
  } catch (err) {
    if (err instanceof UsageError) complain(HELP)
    else if (err instanceof AppError) complain(sentencesOf(err).join('\n'))
    else throw err
    return err instanceof UsageError ? EXIT_USAGE : 1
  }
}

function accountsIn(database: Store, mqttPort: number): AccountService {
  const clock = createMonotonicClock()
  const repository = createAccountRepository(database)
  const stations = createStationRepository(database, () => undefined)
  return createAccounts({
    ...{ database, repository },
    usernames: createUsernames({ stations, accounts: repository }),
    brokerFor: ({ host }) => ({ mqttUrl: `mqtt://${host}:${mqttPort}` }),
    journal: createJournal(database, createLogRepository(database), createAppEvents(), clock),
    clock,
  }).service
}

async function carryOut(accounts: AccountService, mqttPort: number): Promise<void> {
  if (name === '' && verb !== 'list') throw new UsageError()
  switch (verb) {
    case 'create':
      tellSecret('créé', 'created', await accounts.create(inputOf(), systemActor), mqttPort)
      return
    case 'renew':
      tellSecret('renouvelé', 'renewed', await accounts.renewSecret(name, systemActor), mqttPort)
      return
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

async function list(accounts: AccountService): Promise<void> {
  for (let page = 1; ; page += 1) {
    const { count, rows } = await accounts.list({ page, pageSize: 200 })
    if (count === 0) say('Aucun compte. · No account.')
    for (const row of rows) say(lineOf(row))
    if (page * 200 >= count) return
  }
}

function lineOf({ id, kind, role, isActive, label }: AccountRow): string {
  const state = isActive ? 'actif · active' : 'coupé · disabled'
  return [id.padEnd(32), (role ?? kind).padEnd(11), state.padEnd(18), label].join(' ')
}

/** @throws UsageError when the words of the command line make no account */
function inputOf(): AccountInput {
  const [what = '', ...words] = rest
  const role = operatorRoles.find((one) => one === what)
  const label = words.join(' ') || name
  const input = role ? { id: name, kind: 'automation', label, role } : { id: name, kind: what, label }
  if (what === 'automation' || !Check(AccountInput, input)) throw new UsageError()
  return input
}

function tell(fr: string, en: string): void {
  say(`Compte «\u202f${name}\u202f» ${fr}. · Account “${name}” ${en}.`)
}

function tellSecret(fr: string, en: string, { account, secret }: DrawnSecret, mqttPort: number): void {
  tell(fr, en)
  say(`Secret, affiché une seule fois\u00a0: · Secret, shown only once:\n  ${secret}`)
  if (account.kind === 'netboot') return
  say(`mosquitto_sub -h 127.0.0.1 -p ${mqttPort} -i ${name} -u ${name} -P ${secret} -t 'escale/v1/events/#'`)
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
