/** Why a visitor calls staff. */
export const callReasons = ['help', 'print', 'fault', 'time', 'other'] as const
export type CallReason = (typeof callReasons)[number]

/** All texts for visitors, in both languages, French first. */
export interface Texts {
  station: (id: string) => string
  language: string
  textSize: string
  contrast: string
  welcome: string
  howTo: string
  codeLabel: string
  codeHint: string
  open: string
  checking: string
  callStaff: string
  calling: string
  called: string
  callTaken: string
  callFailed: string
  call: {
    title: string
    reasons: Record<CallReason, string>
    details: string
    detailsHint: string
    send: string
    cancel: string
  }
  terms: string
  start: {
    lead: string
    time: string
    running: string
    accept: string
    refuse: string
    refuseQuestion: string
    refuseConsequence: string
    refuseYes: string
    refuseNo: string
  }
  lastMoments: string
  saveNow: string
  forgottenSoon: string
  hello: (name: string) => string
  timeLeft: string
  endsAt: (time: string) => string
  closesAt: (time: string) => string
  granted: (minutes: number) => string
  end: string
  endQuestion: string
  endConsequence: string
  forgotten: { title: string; items: readonly string[]; keep: string }
  endYes: string
  endNo: string
  ending: string
  warning: (seconds: number) => string
  warningLast: (seconds: number) => string
  suspended: string
  suspendedHow: string
  suspendedLimit: (minutes: number) => string
  maintenance: string
  maintenanceHow: string
  cleaning: string
  cleaningHow: string
  failed: Record<'lock' | 'open' | 'clean', { title: string; text: string }>
  pairing: string
  pairingHow: string
  pairingCode: string
  pairingWait: string
  offlineLocked: string
  offlineActive: string
  cut: string
  goingDown: Record<'reboot' | 'shutdown', (seconds: number) => string>
  message: string
  dismiss: string
  refusals: Record<string, string>
  refusalOther: string
  retryIn: (seconds: number) => string
  retryNow: string
}
