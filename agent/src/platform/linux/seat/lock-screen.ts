import { spawn } from 'node:child_process'
import type { Kiosk } from '../../platform.ts'

const SCREEN = 'escale-screen.service'
const MAX_OUTPUT_LENGTH = 400

/**
 * The lock's own compositor and browser, which systemd runs as a user of their own. They may already run: after the agent
 * was started again, their page connects by itself. `program` is systemctl(1).
 */
export function openLockScreen(program = 'systemctl'): Kiosk {
  // It ends when the unit does.
  const child = spawn(program, ['start', '--wait', SCREEN], { stdio: ['ignore', 'ignore', 'pipe'] })
  let output = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    output = (output + text).slice(-MAX_OUTPUT_LENGTH)
  })
  let endReason: string | undefined
  const ended = new Promise<void>((resolve) => {
    const end = (how: string) => {
      endReason ??= output.trim() || how
      resolve()
    }
    child.once('error', (err) => end(err.message))
    child.once('close', () => end(`${SCREEN} has ended`))
  })
  const close = () => {
    child.kill('SIGTERM')
    spawn(program, ['stop', SCREEN], { stdio: 'ignore' }).on('error', () => undefined)
  }
  return { close, ended, endReason: () => endReason }
}
