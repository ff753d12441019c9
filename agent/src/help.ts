import { AGENT_VERSION } from './agent-version.ts'
import { flagNames, flags, type Flag, type Verb } from './flags.ts'

type Language = 'fr' | 'en'
type Text = Record<Language, string>

const verbs: Record<Verb, Text> = {
  run: { fr: 'lance l’agent du poste', en: 'runs the station’s agent' },
  status: { fr: 'dit où en est l’agent de ce poste', en: 'tells the state of this station’s agent' },
  doctor: {
    fr: 'vérifie tout ce qu’il faut à l’agent, et dit quoi faire',
    en: 'checks what the agent needs, and tells what to do',
  },
  unlock: {
    fr: 'déverrouille le poste pour un technicien (root)',
    en: 'unlocks the station for a technician (root)',
  },
  version: { fr: 'affiche la version', en: 'prints the version' },
  help: { fr: 'affiche cette aide (aussi --help, -h)', en: 'prints this help (also --help, -h)' },
}

/** What stands for each option's value, and what it is for. */
const options: Record<Flag, Text & { value?: string }> = {
  server: { value: 'URL', fr: 'adresse du serveur', en: 'the server’s address' },
  'enrolment-key': {
    value: 'KEY',
    fr: 'clé du site\u202f; préférez un fichier',
    en: 'the site key; prefer a file',
  },
  'enrolment-key-file': { value: 'FILE', fr: 'fichier qui la contient', en: 'the file that holds it' },
  'ca-fingerprint': {
    value: 'SHA256',
    fr: 'empreinte de l’autorité du serveur',
    en: 'the fingerprint of the server’s authority',
  },
  'station-id': { value: 'ID', fr: 'identité connue d’avance', en: 'an identity known in advance' },
  'mqtt-secret': {
    value: 'SECRET',
    fr: 'son secret\u202f; préférez un fichier',
    en: 'its secret; prefer a file',
  },
  'mqtt-secret-file': { value: 'FILE', fr: 'fichier qui le contient', en: 'the file that holds it' },
  mac: {
    value: 'MAC',
    fr: 'adresse MAC à annoncer, si ce n’est celle de la machine',
    en: 'the MAC address to tell, if not the machine’s own',
  },
  'data-dir': {
    value: 'DIR',
    fr: 'dossier de l’identité et de l’état',
    en: 'the folder of the identity and the state',
  },
  config: { value: 'FILE', fr: 'fichier de réglages', en: 'the file with settings' },
  'screen-port': {
    value: 'PORT',
    fr: 'port local de l’écran (4680)',
    en: 'the screen’s local port (4680)',
  },
  'no-kiosk': { fr: 'n’ouvre pas de navigateur', en: 'opens no browser' },
  'manage-power': {
    fr: 'permet redémarrage et arrêt malgré --no-kiosk',
    en: 'allows restart and shutdown in spite of --no-kiosk',
  },
  'seat-lock': {
    fr: 'Linux\u00a0: le verrou et le visiteur ont chacun leur terminal (avec --guest-user)',
    en: 'Linux: the lock and the visitor each have a terminal (with --guest-user)',
  },
  'guest-user': {
    value: 'NAME',
    fr: 'Linux\u00a0: compte des visiteurs, vidé après chaque session',
    en: 'Linux: the visitors’ account, emptied after each session',
  },
}

const headings = {
  usage: { fr: 'Usage', en: 'Usage' },
  command: { fr: 'COMMANDE', en: 'COMMAND' },
  commands: { fr: 'Commandes', en: 'Commands' },
  options: { fr: 'Options', en: 'Options' },
  examples: { fr: 'Exemples', en: 'Examples' },
} satisfies Record<string, Text>

const examples: (Text & { command: string })[] = [
  {
    command:
      'escale-agent run --server https://serveur:3443 --enrolment-key-file /etc/escale/enrolment-key --ca-fingerprint 3F:9A:…',
    fr: 'Un poste que l’accueil accepte la première fois',
    en: 'A station that the desk accepts the first time',
  },
  {
    command: 'escale-agent doctor',
    fr: 'Rien ne s’affiche\u202f? Ce qui manque, et quoi faire',
    en: 'Nothing is shown? What is missing, and what to do',
  },
  {
    command: 'sudo escale-agent unlock',
    fr: 'Reprendre la main sur un poste, même sans serveur',
    en: 'Take over a station, even without the server',
  },
  {
    command: 'escale-agent status && echo ok',
    fr: 'Dans un script\u00a0: 0 quand l’agent tourne',
    en: 'In a script: 0 while the agent runs',
  },
]

const notes: Text = {
  fr: [
    'Chaque option est aussi une variable ESCALE_AGENT_… (ESCALE_AGENT_SERVER), un paramètre du noyau escale.…',
    '(escale.server) et un nom d’agent.json (enrolmentKeyFile)\u202f; la première source qui la donne l’emporte, dans cet ordre.',
    'Un poste sans disque reçoit escale.server=URL et escale.token=JETON sur la ligne de commande du noyau.',
    'agent.json est dans /etc/escale pour root, sinon dans le dossier de données. À chaque faute sa phrase et son code de sortie.',
  ].join('\n'),
  en: [
    'Each option is also a variable ESCALE_AGENT_… (ESCALE_AGENT_SERVER), a kernel parameter escale.… (escale.server)',
    'and a name in agent.json (enrolmentKeyFile); the first source that gives it wins, in this order.',
    'A diskless station gets escale.server=URL and escale.token=TOKEN on the kernel’s command line.',
    'agent.json is in /etc/escale for root, else in the data folder. Each fault has a sentence and an exit code.',
  ].join('\n'),
}

/** The help, in French and then in English. */
export const helpText = (): string => `escale-agent ${AGENT_VERSION}\n\n${pageIn('fr')}\n\n${pageIn('en')}`

function pageIn(language: Language): string {
  const heading = (name: keyof typeof headings) => headings[name][language]
  const colon = language === 'fr' ? '\u00a0:' : ':'
  const shown = flagNames.map((flag): [string, string] => {
    const { value } = options[flag]
    return [flags[flag] === 'string' ? `--${flag} ${value ?? ''}` : `--${flag}`, options[flag][language]]
  })
  return [
    `${heading('usage')}${colon} escale-agent ${heading('command')} [OPTIONS]`,
    `${heading('commands')}${colon}\n${rows(Object.entries(verbs).map(([verb, text]) => [verb, text[language]]))}`,
    `${heading('options')}${colon}\n${rows(shown)}`,
    `${heading('examples')}${colon}\n${examples.map((one) => `  # ${one[language]}\n  ${one.command}`).join('\n')}`,
    notes[language],
  ].join('\n\n')
}

function rows(pairs: [string, string][]): string {
  const width = Math.max(...pairs.map(([left]) => left.length))
  return pairs.map(([left, right]) => `  ${left.padEnd(width)}  ${right}`).join('\n')
}
