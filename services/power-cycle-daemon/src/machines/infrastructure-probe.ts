/** Whether a switch, router or PDU is there: by the port that it is spoken to at. Nothing is said to it. */
import { connect } from 'node:net';
import type { InfrastructureDevice, Transport } from '@skolo/rack';
import type { Probe } from './probe.ts';

/** Only what is reached over TCP; a datagram that nobody answers proves nothing. */
const tcpPorts: Partial<Record<Transport, number>> = { ssh: 22, telnet: 23, http: 80, mqtt: 1883 };

export function infrastructureProbe(device: InfrastructureDevice): Probe | undefined {
  const { address, transport, ports, options } = device;
  const usual = transport === 'http' && options.https === true ? 443 : tcpPorts[transport];
  // The address of an MQTT switch is that of its broker.
  if (address === undefined || usual === undefined || transport === 'mqtt') return undefined;
  const port = (transport in ports ? ports[transport as keyof typeof ports] : undefined) ?? usual;
  return (timeoutMs, signal) =>
    new Promise((resolve) => {
      const where = `${address}:${port}`;
      const socket = connect({ host: address, port });
      const end = (up: boolean, text: string, isRefused = false) => {
        clearTimeout(timer);
        signal.removeEventListener('abort', abort);
        socket.destroy();
        resolve({ up, text, isRefused });
      };
      const abort = () => end(false, 'no longer asked');
      const timer = setTimeout(() => end(false, `nothing at ${where}`), timeoutMs);
      if (signal.aborted) return abort();
      signal.addEventListener('abort', abort);
      socket.on('connect', () => end(true, `${where} takes connections`));
      socket.on('error', (error: NodeJS.ErrnoException) => {
        end(false, `nothing at ${where}: ${error.message}`, error.code === 'ECONNREFUSED');
      });
    });
}
