/** `skolo check secrets`: whether values grant the access that they should, and whether git would commit any. */
import type { Finding } from '@skolo/base';
import type { SkoloCommand } from '../../command.ts';
import { usageError } from '../../errors.ts';
import { openJumphostOf } from '../../reach/racks.ts';
import { hostKeysFolder, workstationHostKeys } from '../../reach/workstation-host-keys.ts';
import { openSecrets, readValues } from '../secrets/open-secrets.ts';
import { defineCheck, parted } from './check.ts';
import { checkSecretsInGit, installGitHook } from './secrets-in-git.ts';

interface Options {
  offline?: true;
  installHook?: true;
}

export function define(command: SkoloCommand): void {
  command
    .description(
      "Checks that each value in a rack's store has the correct format, has not expired, and works. The command connects through the jumphost, signs in to equipment and machines over SSH, Telnet, HTTP or SNMP, and reads an outlet's state or the configuration. To test service account keys, it requests Google tokens directly from your workstation. Without a rack, the command checks the files that git would commit in the racks repository. It searches them for private keys, tokens and, if this workstation has an age identity, values from the stores. It also checks that .sops.yaml lists at least two recipients, and that each file in a store is encrypted for them. The git history is not checked.",
    )
    .summary('check that secrets are valid and work')
    .argument('[rack]', 'name of the rack (default: check git for unencrypted secrets)')
    .option('--offline', 'check only the values, without signing in')
    .option('--install-hook', 'install a git hook that checks each commit in this clone')
    .uses('clusters')
    .example('skolo check secrets rack4');

  defineCheck(command, async (signal, name: string | undefined, options: Options) => {
    const { io } = command;
    const { offline, installHook } = options;
    if (installHook && (offline || name !== undefined)) {
      throw usageError('--install-hook: specify neither a rack nor --offline');
    }
    if (offline && name === undefined) throw usageError('--offline: specify a rack');
    if (installHook) return void (await installGitHook(command, signal));
    if (name === undefined) return await checkSecretsInGit(command, signal);
    const open = await openSecrets(command, name);
    const { rack, secrets } = open;
    const values = await readValues(open, signal);
    const { checkSignIns, contentFault } = await import('@skolo/fleet/secret-store/check');
    const given = { rack, secrets, values, now: io.now() };
    const findings = await Promise.all(
      secrets.map(async (secret): Promise<Finding> => {
        const { name: thing } = secret;
        const value = values.get(thing);
        const advice = `run skolo secrets set ${name} ${thing}`;
        if (value === undefined)
          return { thing, state: 'differs', found: 'missing in the store', advice };
        const fault = await contentFault(secret, value, given);
        if (fault === undefined) return { thing, state: 'ok', found: '' };
        return { thing, state: 'differs', ...parted(fault) };
      }),
    );
    if (offline) return { name, findings };
    const { connect: dial, datagrams } = await openJumphostOf(command, open.fleetRack);
    const [hostKeys, scratch] = [await workstationHostKeys(io, name), await hostKeysFolder(io)];
    const ways = { dial, datagrams, hostKeys, scratch };
    const signIns = await checkSignIns({ ...given, ...ways, signal, now: io.now });
    return { name, findings: [...findings, ...signIns] };
  });
}
