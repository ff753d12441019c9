import type { LeftoverKind } from '@escale/protocol'

/** What was found of one kind. The names are for people; there may be fewer of them than things. */
export interface Found {
  count: number
  names: readonly string[]
}

/** One kind of what a visitor may leave behind. */
export interface Leftovers {
  kind: LeftoverKind
  /** Looks, and changes nothing. Undefined if this machine cannot have any. Rejects if it cannot look. */
  find: () => Promise<Found | undefined>
  /** Removes what was found, as far as possible. */
  remove: (found: Found, signal: AbortSignal) => Promise<void>
}

export const found = (names: readonly string[], count = names.length): Found => ({ count, names })

export const NOTHING = found([])

/** How people read each kind. */
export const titles: Readonly<Record<LeftoverKind, { fr: string; en: string }>> = {
  logins: { fr: 'sessions du système', en: 'logins' },
  processes: { fr: 'programmes', en: 'programs' },
  mounts: { fr: 'clés USB et disques', en: 'sticks and disks' },
  homeFiles: { fr: 'dossier personnel', en: 'home folder' },
  temporaryFiles: { fr: 'fichiers temporaires', en: 'temporary files' },
  sharedMemory: { fr: 'mémoire partagée', en: 'shared memory' },
  runtimeFiles: { fr: 'fichiers de session', en: 'session files' },
  ipcObjects: { fr: 'objets IPC', en: 'IPC objects' },
  messageQueues: { fr: 'files de messages', en: 'message queues' },
  schedules: { fr: 'tâches planifiées', en: 'scheduled tasks' },
  mail: { fr: 'courrier local', en: 'local mail' },
  printJobs: { fr: 'impressions', en: 'print jobs' },
  networks: { fr: 'réseaux enregistrés', en: 'saved networks' },
  crashDumps: { fr: 'traces de plantage', en: 'crash dumps' },
  systemLogs: { fr: 'journaux du compte', en: 'the account’s logs' },
}
