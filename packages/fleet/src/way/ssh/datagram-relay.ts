/**
 * Datagrams through a jumphost: SSH does not carry them, so a Node program on it relays them while the stream is open. Each has
 * a two-byte length prefix. The program sees what the peer would see, but no keys.
 */
import type { ChildProcess } from 'node:child_process';
import { Duplex } from 'node:stream';
import { nodeCommand, script } from '@skolo/base';

const relay = script(new URL('./datagram-relay.mjs', import.meta.url));

/** For the shell of a jumphost, on which `prepare` has installed Node. */
export function relayCommand(host: string, port: number): string {
  return `exec ${nodeCommand(relay, [host, port], 'node')}`;
}

/** Its input and output as one stream, which ends with the relay's error. */
export function streamOf(child: ChildProcess): Duplex {
  const { stdin, stdout, stderr } = child;
  if (!stdin || !stdout || !stderr) throw new Error('ssh has no pipes');
  let complaint = '';
  const stream = new Duplex({
    read() {},
    write: (chunk, _, done) => void stdin.write(chunk, () => done()),
    destroy(error, done) {
      child.kill('SIGKILL');
      done(error);
    },
  });
  stdin.on('error', () => undefined);
  stdout.on('data', (data: Buffer) => stream.push(data));
  stderr.on('data', (data: Buffer) => {
    complaint = `${complaint}${data}`.slice(-1000);
  });
  child.on('error', (error) => stream.destroy(error));
  child.on('close', () => {
    const why = complaint.trim().split('\n').at(-1) || 'no reason given';
    const text = why.includes('ECONNREFUSED')
      ? 'the port is closed (ECONNREFUSED); enable the service on the equipment, or fix the port in rack.yaml'
      : `the relay on the jumphost exited: ${why}`;
    stream.destroy(new Error(text));
  });
  return stream;
}
