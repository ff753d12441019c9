import { createSocket } from 'node:dgram'
import { networkInterfaces } from 'node:os'

/** Sends a Wake-on-LAN packet to a MAC address. Resolves when it is sent; the machine does not confirm it. */
export type Wake = (macAddress: string) => Promise<void>

export interface WakeTarget {
  address: string
  port: number
}

const DISCARD_PORT = 9
const REPETITIONS = 16

/** Six bytes 0xff, then the address sixteen times. Source: AMD, Magic Packet Technology, 20213 rev A. */
export function magicPacketOf(macAddress: string): Buffer {
  const address = Buffer.from(macAddress.replaceAll(':', ''), 'hex')
  return Buffer.concat([Buffer.alloc(6, 0xff), ...Array.from({ length: REPETITIONS }, () => address)])
}

/** The broadcast address of each network of this machine, and the limited broadcast address. */
export function broadcastTargets(interfaces = networkInterfaces()): WakeTarget[] {
  const own = Object.values(interfaces)
    .flatMap((list) => list ?? [])
    .filter(({ family, internal }) => family === 'IPv4' && !internal)
    .map(({ address, netmask }) => broadcastOf(address, netmask))
  return [...new Set(['255.255.255.255', ...own])].map((address) => ({ address, port: DISCARD_PORT }))
}

function broadcastOf(address: string, netmask: string): string {
  const mask = netmask.split('.').map(Number)
  return address
    .split('.')
    .map((byte, i) => Number(byte) | (~(mask[i] ?? 255) & 255))
    .join('.')
}

/** @param targets the packet's targets, computed for each call; fails if no packet could be sent */
export function createWaker(targets: () => WakeTarget[] = broadcastTargets): Wake {
  return async (macAddress) => {
    const socket = createSocket('udp4')
    try {
      await new Promise<void>((resolve, reject) => {
        socket.once('error', reject)
        socket.bind(0, () => resolve())
      })
      socket.setBroadcast(true)
      const packet = magicPacketOf(macAddress)
      const sent = targets().map(
        ({ address, port }) =>
          new Promise<void>((resolve, reject) => {
            socket.send(packet, port, address, (err) => (err ? reject(err) : resolve()))
          }),
      )
      await Promise.any(sent)
    } finally {
      socket.close()
    }
  }
}
