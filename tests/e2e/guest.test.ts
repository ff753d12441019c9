import { join } from 'node:path'
import { existsSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { installPackage } from '../support/debian.ts'
import { enterGuestRoom, INSIDE, type GuestRoom } from '../support/guest-room.ts'

let room: GuestRoom
const HOME = '/home/escale-guest'

const INSTALLS_MS = 300_000
const CUPS = ['/usr/sbin/cupsd', '/usr/sbin/lpadmin', '/usr/bin/lp']

beforeAll(async () => {
  // Before the room exists: it has a copy of /etc.
  if (!CUPS.every(existsSync)) await installPackage('cups cups-client')
  room = await enterGuestRoom()
}, INSTALLS_MS)
afterAll(() => room.leave())

/** Kinds of which something was found. */
async function removedByClean(): Promise<Record<string, number>> {
  const { removed } = await room.clean()
  return Object.fromEntries(Object.entries(removed).filter(([, count]) => count > 0))
}

describe('the visitors’ account', () => {
  it('is created with a locked password, alone in its group, and without subordinate ids', async () => {
    const { uid, home } = await room.account('escale-guest')
    expect(home).toBe(HOME)
    expect(uid).toBeGreaterThanOrEqual(1_000)
    expect(await room.root('passwd -S escale-guest')).toMatch(/^escale-guest L /)
    expect(await room.root('id -nG escale-guest')).toBe('escale-guest')
    expect(await room.root('grep -c escale-guest /etc/subuid || true')).toBe('0')
  })

  it.each([
    ['a person’s, with a password', 'useradd -M -p x ada', 'ada', /a un mot de passe.*passwd -l ada/],
    ['one that may use sudo', 'groupadd -f sudo; useradd -M -G sudo bob', 'bob', /sudo.*gpasswd -d bob sudo/],
    [
      'a person’s, with files',
      'useradd -m -K SUB_UID_COUNT=0 -K SUB_GID_COUNT=0 eve; touch /home/eve/thesis',
      'eve',
      /contient déjà des fichiers/,
    ],
    ['the system’s', ':', 'daemon', /compte du système/],
    ['with other ids', 'useradd -M sam; echo sam:200000:65536 >> /etc/subuid', 'sam', /subuid/],
    ['no name', ':', '../root', /attend un nom de compte/],
  ])('is refused if it is %s', async (_, command, name, words) => {
    await room.root(command)
    await expect(room.account(name)).rejects.toThrow(words)
  })
})

describe('an agent', () => {
  const main = join(import.meta.dirname, '..', '..', 'agent', 'src', 'main.ts')
  const run = (user: string) =>
    `${process.execPath} ${main} run --server http://127.0.0.1:9 --enrolment-key k --no-kiosk --guest-user ${user} \\
      --data-dir $(mktemp -d)/data || { echo "exit code $?" >&2; false; }`

  it('that is not root, or gets an account of the system, says so and ends with exit code 3', async () => {
    await expect(room.guest(run('escale-guest'))).rejects.toThrow(/soit lancé par root[^]*exit code 3/)
    await expect(room.root(run('daemon'))).rejects.toThrow(/compte du système[^]*exit code 3/)
    await room.clean()
  })
})

describe('a home', () => {
  it('is fresh from the skeleton, in memory, and can hold no device and no setuid program', async () => {
    await room.root('echo hello > /etc/skel/welcome')
    await room.open('s-1')
    expect(await room.guest(`cat ${HOME}/welcome && stat -c '%U %a' ${HOME} ${HOME}/welcome`)).toMatch(
      /^hello\nescale-guest 700\nescale-guest 6\d\d$/,
    )
    const mount = await room.root(`findmnt -n -o FSTYPE,OPTIONS ${HOME}`)
    expect(mount).toMatch(/^tmpfs .*nosuid,nodev.*size=\d+k/)
    await expect(room.guest(`head -c 100G /dev/zero > ${HOME}/big`)).rejects.toThrow(/No space left/)
  })

  it('is kept for its session, with the mounted stick, and for no other', async () => {
    await room.clean()
    await room.open('s-1')
    await room.guest(`touch ${HOME}/download; touch /tmp/mine`)
    await room.root('mkdir -p /media/escale-guest/KEY; mount -t tmpfs stick /media/escale-guest/KEY')
    await room.root('touch /media/escale-guest/KEY/photo')
    // After a suspension.
    await room.open('s-1')
    expect(await room.root(`ls ${HOME}/download /tmp/mine /media/escale-guest/KEY/photo | wc -l`)).toBe('3')
    // An agent that has lost its state does not clean.
    await room.open('s-2')
    expect(await room.root(`find ${HOME} /tmp /media -name download -o -name mine -o -name photo`)).toBe('')
    expect(await room.guest(`cat ${HOME}/welcome`)).toBe('hello')
    await room.clean()
  })

  it('is not mounted twice, and gone after the end', async () => {
    await room.open('s-3')
    await room.open('s-3')
    expect(await room.root(`findmnt -n ${HOME} | wc -l`)).toBe('1')
    expect(await removedByClean()).toEqual({ homeFiles: expect.any(Number) as number })
    expect(await room.root(`findmnt -n ${HOME} | wc -l; ls -A ${HOME}`)).toBe('0')
  })
})

describe('a cleaning', () => {
  it('looks for every kind where nothing is left, and finds nothing', async () => {
    const { removed } = await room.clean()
    expect(Object.values(removed).every((count) => count === 0)).toBe(true)
    expect(Object.keys(removed).length).toBeGreaterThanOrEqual(13)
  })

  it.each([
    ['a program', 'sleep 1000 >/dev/null 2>&1 &', { processes: 1 }],
    [
      'a program that ignores SIGTERM',
      `sh -c 'trap "" TERM HUP INT; while :; do :; done' >/dev/null 2>&1 &`,
      { processes: 1 },
    ],
    ['a program without a parent', '( ( sleep 1001 >/dev/null 2>&1 & ) & )', { processes: 1 }],
    ['a daemon', 'setsid -f sleep 1002 >/dev/null 2>&1', { processes: 1 }],
    ['a stopped program', "sh -c 'kill -STOP $$' >/dev/null 2>&1 &", { processes: 1 }],
    ['temporary files', 'touch /tmp/a /var/tmp/b /run/lock/c "/tmp/with space"', { temporaryFiles: 4 }],
    ['a hidden folder', 'mkdir -p /tmp/.x/y; touch /tmp/.x/y/z; chmod 0 /tmp/.x', { temporaryFiles: 1 }],
    ['POSIX shared memory', 'echo secret > /dev/shm/sem.note', { sharedMemory: 1 }],
    ['System V objects', 'ipcmk -M 4096 -S 2 -Q >/dev/null', { ipcObjects: 3 }],
    ['a message queue', 'touch /dev/mqueue/note', { messageQueues: 1 }],
    ['an at job', 'touch /var/spool/cron/atjobs/a0001', { schedules: 1 }],
    ['local mail', 'echo hello > /var/mail/escale-guest', { mail: 1 }],
    ['a link to a file of the system', 'ln -s /etc/passwd /tmp/link', { temporaryFiles: 1 }],
  ])('finds and removes %s', async (_, command, removed) => {
    await room.guest(command)
    expect(await removedByClean()).toEqual(removed)
    expect(await removedByClean()).toEqual({})
    expect(await room.root('grep -c root /etc/passwd')).not.toBe('0')
  })

  it.each([
    [
      'a file in another’s folder',
      'mkdir -m 0777 /tmp/shared; touch /tmp/shared/m; chown escale-guest /tmp/shared/m',
      { temporaryFiles: 1 },
    ],
    ['a crontab of root’s making', 'touch /var/spool/cron/crontabs/escale-guest', { schedules: 1 }],
    ['lingering', 'touch /var/lib/systemd/linger/escale-guest', { logins: 1 }],
    [
      'a crash dump',
      'touch /var/lib/systemd/coredump/core.chromium.$(id -u escale-guest).b.7.9.zst',
      { crashDumps: 1 },
    ],
    [
      'the account’s own log',
      'touch /var/log/journal/machine/user-$(id -u escale-guest).journal',
      { systemLogs: 1 },
    ],
    [
      'session files',
      'd=/run/user/$(id -u escale-guest); mkdir $d; mount -t tmpfs -o uid=$(id -u escale-guest) rt $d; touch $d/bus',
      { runtimeFiles: 1 },
    ],
    [
      'a saved network',
      'printf "[connection]\\nid=Home\\npermissions=user:escale-guest:;\\n" > /etc/NetworkManager/system-connections/Home.nmconnection',
      { networks: 1 },
    ],
    ['a folder for a stick', 'mkdir -p "/media/escale-guest/MY KEY"', { mounts: 1 }],
  ])('finds and removes %s', async (_, command, removed) => {
    await room.root(command)
    expect(await removedByClean()).toEqual(removed)
    expect(await removedByClean()).toEqual({})
  })

  it('stops programs that start their successor and end, again and again', async () => {
    await room.guest(`echo 'sh /tmp/next &' > /tmp/next
      for i in 1 2 3 4 5 6 7 8 9 10; do prlimit --nproc=100 setsid -f sh /tmp/next >/dev/null 2>&1; done`)
    const { processes = 0, ...others } = await removedByClean()
    expect(processes).toBeGreaterThan(0)
    expect(others).toEqual({ temporaryFiles: 1 })
    expect(await room.root('pgrep -cu escale-guest || true')).toBe('0')
  })

  it('kills programs of the guest’s logins that run as another user', async () => {
    await room.root(`g=$(findmnt -n -o TARGET -t cgroup2)/user.slice/user-$(id -u escale-guest).slice/session-1.scope
      mkdir -p $g; sleep 1003 >/dev/null 2>&1 & echo $! > $g/cgroup.procs`)
    expect(await removedByClean()).toEqual({ processes: 1 })
    expect(await room.root('pgrep -fc "[s]leep 1003" || true')).toBe('0')
  })

  it('leaves the files, programs and networks of others', async () => {
    await room.root(`touch /tmp/of-root; sleep 1004 >/dev/null 2>&1 & echo $! > /run/of-root
      echo 'permissions=user:escale-guest2:;' > /etc/NetworkManager/system-connections/other.nmconnection`)
    expect(await removedByClean()).toEqual({})
    await room.root(
      'ls /tmp/of-root /etc/NetworkManager/system-connections/other.nmconnection && kill $(cat /run/of-root)',
    )
  })

  it('unmounts a stick without a change to its files', async () => {
    await room.root(`truncate -s 8M /run/stick.img; mkfs.ext4 -q /run/stick.img
      mkdir -p /media/escale-guest/KEY; mount -o loop /run/stick.img /media/escale-guest/KEY
      mkdir /media/escale-guest/KEY/mine; touch /media/escale-guest/KEY/mine/photo
      chown -R escale-guest /media/escale-guest/KEY`)
    await room.guest('cd /media/escale-guest/KEY; sleep 1005 >/dev/null 2>&1 &')
    expect(await removedByClean()).toEqual({ mounts: 1, processes: 1 })
    expect(
      await room.root(
        'mount -o loop,ro /run/stick.img /mnt/etc/opt; ls /mnt/etc/opt/mine; umount /mnt/etc/opt',
      ),
    ).toBe('photo')
  })

  it('removes everything of a whole visit at once', async () => {
    await room.open('s-9')
    await room.guest(
      `touch ${HOME}/cv.odt /tmp/t /dev/shm/s /dev/mqueue/q; ipcmk -M 10 >/dev/null; sleep 1006 >/dev/null 2>&1 &`,
    )
    await room.guest(`cd ${HOME}; setsid -f sh -c 'exec 3>/tmp/open; exec sleep 1007' >/dev/null 2>&1`)
    await room.root('until [ -e /tmp/open ]; do sleep 0.01; done')
    const { removed, ms } = await room.clean()
    process.stdout.write(`one cleaning after a visit took ${ms} ms\n`)
    expect(removed).toMatchObject({
      processes: 2,
      temporaryFiles: 2,
      sharedMemory: 1,
      messageQueues: 1,
      ipcObjects: 1,
    })
    expect(
      await room.root(
        'find /home /tmp /var/tmp /dev/shm /dev/mqueue /run /media /var/spool /var/mail -user escale-guest',
      ),
    ).toBe('')
  })
})

describe('print jobs', () => {
  const CONFIGURATION = `LogLevel warn
Listen /run/cups/cups.sock
<Location />
  Order allow,deny
</Location>
<Policy default>
  <Limit All>
    Order deny,allow
  </Limit>
</Policy>`

  it('of the guest are cancelled, the documents of finished ones are removed, and other queues keep their jobs', async () => {
    const missing = CUPS.filter((path) => !existsSync(path))
    expect(missing, 'needs CUPS: run `sudo apt-get install cups cups-client`').toEqual([])
    await room.root(`echo '${CONFIGURATION}' > /etc/cups/cupsd.conf; echo 'FileDevice Yes' >> /etc/cups/cups-files.conf
      mkdir -p /var/spool/cups/tmp /var/cache/cups /run/cups /var/log/cups; chgrp -R lp /var/spool/cups
      cupsd -f >/dev/null 2>&1 & echo $! > /run/cupsd.pid
      until lpstat -r 2>/dev/null | grep -q 'is running'; do sleep 0.1; done
      lpadmin -p hall -E -v file:///dev/null; lpadmin -p desk -E -v file:///dev/null; cupsdisable desk`)
    await room.guest('lp -s -d hall /etc/hostname')
    await room.root('until lpstat -W completed -o | grep -q hall-1; do sleep 0.1; done; cupsdisable hall')
    await room.guest('lp -s -d hall /etc/hostname')
    await room.root('lp -s -d desk /etc/hostname')
    expect(await removedByClean()).toEqual({ printJobs: 2 })
    expect(await room.root('lpstat -W all -o')).toMatch(/^desk-3 +root [^\n]*$/)
    expect(await room.root('ls /var/spool/cups | grep -c "^[cd]0*[12]-\\?" || true')).toBe('0')
    await room.root('kill $(cat /run/cupsd.pid); while lpstat -r | grep -q "is running"; do sleep 0.1; done')
    // The job of the other queue may be anybody's, and nobody can tell.
    await expect(room.clean()).rejects.toThrow(/^non vérifié\u00a0: impressions · not checked: print jobs/)
    await room.root('rm /var/spool/cups/[cd]*')
    expect(await removedByClean()).toEqual({})
  })
})

describe('an agent that does not see the guest’s files where the guest does', () => {
  /** A service with PrivateTmp= and ProtectHome=, under the same process 1. */
  async function ask(question: object): Promise<unknown> {
    const line = JSON.stringify(question)
    const apart = `mount -t tmpfs apart /tmp; mount -t tmpfs apart /home; exec ${process.execPath} ${INSIDE}`
    return JSON.parse(
      await room.root(`echo '${line}' | unshare --mount --propagation slave sh -c '${apart}'`),
    )
  }

  it('makes the home and cleans where the guest does', async () => {
    await room.clean()
    expect(await ask({ kind: 'open', sessionId: 's-7' })).toEqual({})
    await room.guest(`touch ${HOME}/x /tmp/a /dev/shm/b`)
    expect(await ask({ kind: 'clean' })).toMatchObject({
      result: { removed: { homeFiles: expect.any(Number) as number, temporaryFiles: 1, sharedMemory: 1 } },
    })
    expect(await room.root(`findmnt -n ${HOME} || true; ls /tmp/a 2>/dev/null || true`)).toBe('')
    expect(await removedByClean()).toEqual({})
  })
})

describe('a cleaning that cannot be proven', () => {
  it('names a file that cannot be removed, and succeeds when it can', async () => {
    await room.root(
      'mkdir -p /var/crash; truncate -s 8M /run/disk.img; mkfs.ext4 -q /run/disk.img; mount -o loop /run/disk.img /var/tmp',
    )
    await room.root('touch /var/tmp/fixed; chown escale-guest /var/tmp/fixed; chattr +i /var/tmp/fixed')
    await expect(room.clean()).rejects.toThrow(
      /^il reste\u00a0: fichiers temporaires · still there: temporary files .*\/var\/tmp\/fixed/,
    )
    await room.root('chattr -i /var/tmp/fixed')
    expect(await removedByClean()).toEqual({ temporaryFiles: 1 })
    await room.root('umount /var/tmp')
  })

  it('names a stick that another program still uses, and keeps its files', async () => {
    await room.root(`mkdir -p /media/escale-guest/BUSY; mount -t tmpfs -o uid=$(id -u escale-guest) stick /media/escale-guest/BUSY
      touch /media/escale-guest/BUSY/photo; cd /media/escale-guest/BUSY; sleep 1008 >/dev/null 2>&1 & echo $! > /run/busy`)
    await expect(room.clean()).rejects.toThrow(
      /clés USB et disques.*sticks and disks.*\/media\/escale-guest\/BUSY/,
    )
    expect(await room.root('ls /media/escale-guest/BUSY')).toBe('photo')
    await room.root('kill $(cat /run/busy)')
    expect(await removedByClean()).toMatchObject({ mounts: 1 })
  })

  it('names a home that another program still uses, and no other session gets it', async () => {
    await room.open('s-5')
    await room.root(`cd ${HOME}; sleep 1009 >/dev/null 2>&1 & echo $! > /run/busy`)
    await expect(room.clean()).rejects.toThrow(/dossier personnel · still there: home folder/)
    await expect(room.open('s-6')).rejects.toThrow(/dossier personnel/)
    await room.root('kill $(cat /run/busy)')
    await room.open('s-6')
    await room.clean()
  })

  it('says what could not be looked at', async () => {
    await room.root('mount -t tmpfs none /proc/sysvipc')
    await expect(room.clean()).rejects.toThrow(/^non vérifié\u00a0: objets IPC · not checked: IPC objects/)
    await room.root('umount /proc/sysvipc')
    await room.clean()
  })
})
