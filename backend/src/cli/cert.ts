import { readFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { certificateFolderOf } from '../setup/app-options.ts'
import { daysLeft } from '../certificates/folder.ts'
import { expiryMsOf, fingerprintOf, type ServerCertificate } from '../certificates/pem.ts'
import { checkSiteOwn } from '../certificates/site-own.ts'
import { createMonotonicClock } from '../clock.ts'
import { EXIT_USAGE, isUnderstood, runCommand } from './command.ts'
import type { Environment } from '../setup/environment.ts'
import { SetupError } from '../errors.ts'
import { complain, say } from './terminal.ts'

const USAGE =
  'npm run cert                                       renouvelle · renews\n' +
  'npm run cert -- --show                             montre · shows\n' +
  'npm run cert -- --cert F --key F [--ca F]          prend le certificat du site · takes the site’s own\n' +
  'npm run cert -- --local                            revient au certificat d’Escale · back to Escale’s own'

await runCommand(async (environment) => {
  if (!isUnderstood([], 0, ['show'])) return EXIT_USAGE
  try {
    show(await run(environment))
    return 0
  } catch (err) {
    if (!isUsage(err)) {
      complain(err instanceof Error ? err.message : String(err))
      return 1
    }
    const given = /'(-?[^']*)'/.exec(String(err))?.[1] ?? ''
    complain(
      `Option inconnue ou incomplète\u00a0: ${given}\nOption unknown or incomplete: ${given}\n${USAGE}`,
    )
    return EXIT_USAGE
  }
})

function isUsage(err: unknown): boolean {
  return String((err as { code?: unknown }).code).startsWith('ERR_PARSE_ARGS')
}

async function run(environment: Environment): Promise<ServerCertificate> {
  const { values } = parseArgs({
    options: {
      cert: { type: 'string' },
      key: { type: 'string' },
      ca: { type: 'string' },
      local: { type: 'boolean' },
      show: { type: 'boolean' },
    },
  })
  const clock = createMonotonicClock()
  const folder = certificateFolderOf(environment, clock)
  if (values.show) return folder.ensure()
  if (values.cert !== undefined && values.key !== undefined) {
    const ca = values.ca === undefined ? undefined : textOf(values.ca)
    return folder.useSiteOwn(checkSiteOwn(textOf(values.cert), textOf(values.key), ca, clock.nowMs()))
  }
  if (values.cert ?? values.key ?? values.ca) {
    throw new Error(`Il faut --cert et --key ensemble. · --cert and --key go together.\n${USAGE}`)
  }
  if (values.local) folder.dropSiteOwn()
  if (folder.isSiteOwn()) {
    throw new SetupError(
      'Le certificat est celui du site\u00a0: donnez le nouveau avec --cert et --key, ou revenez à celui d’Escale avec --local.',
      `The certificate is the site’s own: give the new one with --cert and --key, or go back to Escale’s with --local.\n${USAGE}`,
    )
  }
  const renewed = folder.renew()
  say('Certificat renouvelé · Certificate renewed')
  return renewed
}

function textOf(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (err) {
    throw new SetupError(
      `Le fichier ${path} ne peut pas être lu\u00a0: vérifiez son nom et vos droits.`,
      `The file ${path} cannot be read: check its name and your rights.`,
      err,
    )
  }
}

function show({ leaf, authority }: ServerCertificate): void {
  const end = new Date(expiryMsOf(leaf))
  const days = daysLeft(leaf, Date.now())
  const names = (leaf.subjectAltName ?? '').replaceAll(/DNS:|IP Address:/g, '')
  const lines = [
    ['Noms', 'Names', names],
    [
      'Empreinte du certificat, qui change à chaque renouvellement',
      'The certificate’s fingerprint, which changes at each renewal',
      leaf.fingerprint256,
    ],
    ...(authority === undefined
      ? []
      : [
          [
            'Empreinte de l’autorité, à donner aux agents (--ca-fingerprint)',
            'The authority’s fingerprint, to be given to agents (--ca-fingerprint)',
            fingerprintOf(authority),
          ],
        ]),
    ['Valable jusqu’au', 'Valid until', `${end.toISOString().slice(0, 10)} (${days}\u00a0j · d)`],
  ]
  for (const [french, english, value] of lines) {
    say(`${french} · ${english}\u00a0:\n  ${value}`)
  }
}
