/** Decides whether the reached computer is the rack's current jumphost, because a retired one has the same name, address and host keys. */
import { parseJson, shellWord } from '@skolo/base';
import { machineScript, Statement, statementFile } from '@skolo/rack/jumphost';
import { FleetError } from '../errors.ts';
import type { K3sRack, Way } from '../racks/clusters.ts';
import type { Jumphost } from './way.ts';

/**
 * Compares the rack, machine and epoch in its statement with kube/clusters/config.json. Without an epoch in that file, no
 * jumphost is retired. Another host, such as a spare, does not have a statement.
 *
 * @throws FleetError
 */
export async function rejectOther(
  { name, jumphost, epoch }: K3sRack,
  { host }: Way,
  { onJumphost }: Pick<Jumphost, 'onJumphost'>,
  signal: AbortSignal,
): Promise<void> {
  const script = `${machineScript}; cat ${statementFile}`;
  const { stdout } = await onJumphost(`sh -c ${shellWord(script)}`, signal);
  const [machine, ...text] = stdout.split('\n');
  const found = Statement.safeParse(parseJson(text.join('\n'))).data;
  const isNamed = found !== undefined && found.machine === machine;
  if (isNamed && found.rack !== name) {
    throw new FleetError(
      `${name}: ${host} is the jumphost of ${found.rack}; fix \`jumphost\` and \`ways\` of ${name} in kube/clusters/config.json`,
    );
  }
  if (epoch === undefined || host !== jumphost || (isNamed && found.epoch >= epoch)) return;
  const has = isNamed ? `epoch ${found.epoch}` : 'no epoch of its own';
  throw new FleetError(
    `${name}: ${host} is a retired jumphost: the computer has ${has}, but the current jumphost has epoch ${epoch}; turn off the retired jumphost and try again`,
  );
}
