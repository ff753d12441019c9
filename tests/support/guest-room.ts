import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { join } from 'node:path'
import type { CleanedDetails } from '@escale/protocol'
import type { GuestAccount } from '../../agent/src/platform/linux/guest/account.ts'

export type Question =
  | { kind: 'root' | 'guest'; command: string }
  | { kind: 'account'; name: string }
  | { kind: 'open'; sessionId: string }
  | { kind: 'clean' }

export type Answer = { result?: unknown } | { error: string }

export const ROOT_HINT =
  'needs root, for a real account in namespaces of its own: run `sudo npm test`, or this file alone as root'

/** Programs that the tests use, all of Debian's packages util-linux, e2fsprogs and passwd. */
const PROGRAMS = [
  'unshare',
  'nsenter',
  'setpriv',
  'ipcmk',
  'ipcrm',
  'losetup',
  'mkfs.ext4',
  'chattr',
  'useradd',
]

export const INSIDE = join(import.meta.dirname, 'guest-room-inside.ts')

/**
 * A group of its own below the machine's cgroup v2, then namespaces, then file systems that end with them: what the test
 * creates, accounts included, is not seen outside and is gone afterwards.
 */
const ENTER = `
set -eu
unified=$(findmnt -n -o TARGET -t cgroup2 | head -n 1)
group="$unified/escale-test-$$"
mkdir "$group"
trap 'find "$group" -depth -type d -exec rmdir {} + 2>/dev/null || true' EXIT
sh -c 'echo $$ > "$1/cgroup.procs"; shift; exec "$@"' - "$group" \\
  unshare --mount --pid --ipc --cgroup --fork --kill-child --mount-proc --propagation private \\
  sh -c "$SETUP" - "$unified" "$@"
`

const SETUP = `
set -eu
unified=$1; shift
umount "$unified"; mount -t cgroup2 cgroup2 "$unified"
mkdir -p /dev/mqueue; mount -t mqueue mqueue /dev/mqueue
mount -t tmpfs room /mnt
cp -a /etc /mnt/etc; mount --bind /mnt/etc /etc
mkdir -p /media
for folder in /home /run /media /var/mail /var/spool /var/lib/systemd /var/log /var/cache; do
  [ ! -d "$folder" ] || mount -t tmpfs -o mode=0755 room "$folder"
done
for folder in /tmp /var/tmp /dev/shm; do mount -t tmpfs -o mode=1777 room "$folder"; done
mkdir -m 1777 /run/lock; mkdir -m 0755 /run/user
mkdir -p /var/spool/cron/crontabs /var/spool/cron/atjobs /var/lib/systemd/linger /var/lib/systemd/coredump
mkdir -p /etc/NetworkManager/system-connections /var/log/journal/machine
chmod 1733 /var/spool/cron/crontabs; chmod 1777 /var/spool/cron/atjobs; chmod 1777 /var/mail
grep -v '^escale-' /etc/passwd > /tmp/passwd; cat /tmp/passwd > /etc/passwd; rm /tmp/passwd
# This shell is process 1 of the room: it takes leave of processes whose parent has ended.
exec 3<&0
"$@" <&3 3<&- &
wait $!
`

export interface GuestRoom {
  /** Runs a shell command as root or as the guest; @returns its output */
  root: (command: string) => Promise<string>
  guest: (command: string) => Promise<string>
  account: (name: string) => Promise<GuestAccount>
  open: (sessionId?: string) => Promise<void>
  clean: () => Promise<{ removed: CleanedDetails['removed']; ms: number }>
  leave: () => Promise<void>
}

/** @throws Error that says what this machine lacks */
export async function enterGuestRoom(): Promise<GuestRoom> {
  if (process.getuid?.() !== 0) throw new Error(ROOT_HINT)
  const child = spawn(
    'sh',
    ['-c', `command -v ${PROGRAMS.join(' ')} >/dev/null || exit 99; ${ENTER}`, '-', process.execPath, INSIDE],
    {
      env: { ...process.env, SETUP, PATH: `${process.env.PATH ?? ''}:/usr/sbin:/sbin` },
      stdio: ['pipe', 'pipe', 'inherit'],
    },
  )
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()))
  const answers = createInterface({ input: child.stdout })[Symbol.asyncIterator]()

  async function ask(question: Question): Promise<unknown> {
    child.stdin.write(`${JSON.stringify(question)}\n`)
    const { value, done } = await answers.next()
    if (done === true) {
      throw new Error(
        `the room has ended: run \`apt-get install util-linux e2fsprogs passwd\` (${PROGRAMS.join(', ')})`,
      )
    }
    const answer = JSON.parse(value) as Answer
    if ('error' in answer) throw new Error(answer.error)
    return answer.result
  }

  return {
    root: (command) => ask({ kind: 'root', command }) as Promise<string>,
    guest: (command) => ask({ kind: 'guest', command }) as Promise<string>,
    account: (name) => ask({ kind: 'account', name }) as Promise<GuestAccount>,
    open: (sessionId = 's-1') => ask({ kind: 'open', sessionId }) as Promise<void>,
    clean: () => ask({ kind: 'clean' }) as ReturnType<GuestRoom['clean']>,
    leave: () => {
      child.stdin.end()
      return ended
    },
  }
}
