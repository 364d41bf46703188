/** Whether a switch, router or PDU is there: by the port that it is spoken to at. Nothing is said to it. */

import type { Transport } from '@skolo/models';
import type { InfrastructureDevice } from '@skolo/rack';
import { lookTcp } from './look-tcp.ts';
import type { Probe } from './probe.ts';

/** Only what is reached over TCP; a datagram that nobody answers proves nothing. */
const tcpPorts: Partial<Record<Transport, number>> = { ssh: 22, telnet: 23, http: 80, mqtt: 1883 };

export function infrastructureProbe(device: InfrastructureDevice): Probe | undefined {
  const { address, transport, ports, options } = device;
  const usual = transport === 'http' && options.https === true ? 443 : tcpPorts[transport];
  // The address of an MQTT switch is that of its broker.
  if (address === undefined || usual === undefined || transport === 'mqtt') return undefined;
  const port = (transport in ports ? ports[transport as keyof typeof ports] : undefined) ?? usual;
  const where = `${address}:${port}`;
  return async (timeoutMs, signal) => {
    const look = await lookTcp({ address, port }, timeoutMs, signal);
    if (look.is === 'up') return { up: true, text: `${where} takes connections`, isRefused: false };
    if (look.is === 'aborted') return { up: false, text: 'no longer asked', isRefused: false };
    if (look.is !== 'failed') return { up: false, text: `nothing at ${where}`, isRefused: false };
    const { message, code } = look.error;
    return {
      up: false,
      text: `nothing at ${where}: ${message}`,
      isRefused: code === 'ECONNREFUSED',
    };
  };
}
