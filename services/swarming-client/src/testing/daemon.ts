/** A power-cycle daemon that accepts each request of the machine. */
import type { RequestListener } from 'node:http';
import { untilTestEnds } from '@skolo/base/testing';
import { startScripted } from '@skolo/scripted-services/service';

export async function startDaemon() {
  const requestDeviceCycles = accepted({ joined: false });
  return untilTestEnds(await startScripted('power-cycle-daemon', { requestDeviceCycles }));
}

export function accepted({ joined }: { joined: boolean }) {
  return { cycles: [{ id: 'c-1', target: 'rpi-1-phone', joined }], rejected: [] };
}

/** Of another program. */
export function page(status: number): RequestListener {
  return (_request, response) => response.writeHead(status).end('<html>');
}
