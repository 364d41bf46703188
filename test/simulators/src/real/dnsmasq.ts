/** dnsmasq as a name server of loopback, which asks no other one. */
import { freeTcpPort } from '../free-port.ts';
import { peer } from '../peer.ts';
import { Process } from '../process.ts';

interface NameServer {
  /** `127.0.0.1:5353` */
  address: string;
  stop(): Promise<void>;
}

/**
 * @param args what it knows, such as `--host-record=NAME,ADDRESS` or `--conf-file=FILE`
 * @param at where it listens, by UDP and TCP
 * @throws Error It is not installed, or has ended, with what it said
 */
export async function startDnsmasq(
  args: readonly string[],
  at: { host?: string; port?: number } = {},
): Promise<NameServer> {
  const program = peer('dnsmasq');
  if (program === undefined) throw new Error('dnsmasq is not installed');
  const { host = '127.0.0.1', port = await freeTcpPort(host) } = at;
  const child = new Process(program, [
    ...(args.some((each) => each.startsWith('--conf-file=')) ? [] : ['--conf-file=/dev/null']),
    ...['--keep-in-foreground', '--log-facility=-', '--pid-file', '--user=root'],
    ...['--bind-interfaces', `--listen-address=${host}`, `--port=${port}`],
    ...['--no-resolv', '--no-hosts', ...args],
  ]);
  await child.until('to start', async () => child.output.includes('started'));
  return { address: `${host}:${port}`, stop: () => child.stop() };
}
