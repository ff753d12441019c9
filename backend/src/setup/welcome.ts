interface FirstStart {
  username: string
  password: string
  address: string
}

/** The message after the first start of a site: where and how to sign in, between two lines. */
export function welcome({ username, password, address }: FirstStart): string {
  const lines = [
    `  Premier démarrage\u00a0: ouvrez ${address} et connectez-vous avec «\u202f${username}\u202f» et ce mot de passe, affiché une seule fois.`,
    `  First start: open ${address} and sign in as “${username}” with this password, shown only once.`,
    '',
    // Alone on its line, to be copied.
    `  ${password}`,
  ]
  const rule = '─'.repeat(Math.max(...lines.map((line) => line.length)) + 2)
  return ['', rule, '', ...lines, '', rule].join('\n')
}
