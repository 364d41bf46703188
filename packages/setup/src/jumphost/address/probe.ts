/** Queries the network for the owner of an address. */
import { script, shellWord } from '@skolo/base';
import { ComputerError, type Host, linesOf } from '@skolo/setup/engine';

export const probeFile = '/usr/local/sbin/skolo-probe-address';

/**
 * Exits with 3 if another computer has the address, and prints its MAC address; with 0 if there is no response. With `defend`, it does not
 * exit, and prints a line at most every 10 s.
 * Sources: RFC 5227, ARP requests whose sender has no address yet, and 2.4 (c), a host that never gives up its address; RFC 4862 5.4 and RFC 4861 4.3, 4.4, neighbour solicitations from
 * the unspecified address, which are answered to all nodes. perl-base is essential in Debian, and has Socket.
 */
export const probe = script(new URL('./probe-address.pl', import.meta.url));

/** The MAC address of another computer that has it. @throws ComputerError The interface cannot send requests. */
export async function whoHas(
  host: Host,
  address: string,
  device: string,
): Promise<string | undefined> {
  await host.write({ path: probeFile, content: probe, mode: 0o755 });
  const { code, stdout, stderr } = await host.run(
    `${probeFile} ${shellWord(device)} ${shellWord(address)}`,
  );
  if (code === 0) return undefined;
  if (code === 3) return stdout.trim();
  throw new ComputerError(
    `${host.name}: ${stderr || `the probe of ${device} failed (exit code ${code})`}`,
  );
}

/** The interface that has this address; empty if none has. */
export async function deviceOf(host: Host, address: string): Promise<string> {
  const [line = ''] = linesOf(
    await host.need(`ip -o address show to ${shellWord(address)} | awk '{ print $2 }'`),
  );
  return line;
}
