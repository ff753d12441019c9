import { SECOND_MS, type AccessClaims } from '@escale/protocol'
import type { Clock } from '../../clock.ts'
import { hashSecret } from '../../crypto/secrets.ts'
import type { Authenticators } from './authenticators.ts'

/** More callers than a site has at once; the oldest is forgotten for the next. */
const MOST_REMEMBERED = 1_000
/** How long memory is trusted after the journal was asked for changes, which happens every second. */
const TRUSTED_MS = 2 * SECOND_MS

type Account = Awaited<ReturnType<Authenticators['accounts']['authenticate']>>

export type Rights = ReturnType<typeof createRights>

/**
 * Answers from memory who calls and with which rights, after the database was asked once. A change that may end a right
 * clears the memory. When the journal could not be asked for 2 s, the memory is not used. Only valid tokens and secrets
 * are remembered, so wrong ones need no memory. Secrets are kept as hashes; a token ends within minutes.
 */
export function createRights({ auth, stations, accounts }: Authenticators, clock: Clock) {
  const claims = new Map<string, AccessClaims>()
  const opened = new Map<string, { secretHash: string; account: NonNullable<Account> }>()
  let trustedUntilMs = -Infinity
  /** How often the memory was cleared: an answer to a question from before that may be out of date. */
  let times = 0

  const isTrusted = () => performance.now() < trustedUntilMs

  async function remembering<Answer>(
    memory: Map<string, NonNullable<Answer>>,
    key: string,
    ask: () => Promise<Answer | undefined>,
  ): Promise<Answer | undefined> {
    const before = times
    const answer = await ask()
    if (answer == null || before !== times || !isTrusted()) return answer
    const [oldest] = memory.keys()
    if (oldest !== undefined && memory.size >= MOST_REMEMBERED) memory.delete(oldest)
    memory.set(key, answer)
    return answer
  }

  function knownAccount(id: string, secretHash: string): Account {
    const known = isTrusted() ? opened.get(id) : undefined
    return known?.secretHash === secretHash ? known.account : undefined
  }

  return {
    auth: {
      async authenticate(accessToken) {
        const known = isTrusted() ? claims.get(accessToken) : undefined
        if (known && known.exp * SECOND_MS > clock.nowMs()) return known
        return remembering(claims, accessToken, () => auth.authenticate(accessToken))
      },
    },
    stations: {
      // A station and an account never have the same name.
      authenticate: async (id, secret) =>
        opened.has(id) && knownAccount(id, hashSecret(secret))
          ? undefined
          : stations.authenticate(id, secret),
    },
    accounts: {
      async authenticate(id, secret) {
        const secretHash = hashSecret(secret)
        const known = knownAccount(id, secretHash)
        if (known) return known
        const found = await remembering(opened, id, async () => {
          const account = await accounts.authenticate(id, secret)
          return account && { secretHash, account }
        })
        return found?.account
      },
    },
    /** To be called when a right may have ended or changed. */
    forget(): void {
      times += 1
      claims.clear()
      opened.clear()
    },
    /** @param askedAtMs when the journal was asked whether anything had changed, by `performance.now()` */
    confirm(askedAtMs: number): void {
      trustedUntilMs = askedAtMs + TRUSTED_MS
    },
  } satisfies Authenticators & Record<string, unknown>
}
