import type { SkoloCommand } from '../../command.ts';
import { usageError } from '../../errors.ts';
import {
  current,
  dropInOf,
  enabledServices,
  opt,
  removeVersions,
  servicesNamed,
  stopWithinMs,
  thisComputer,
  unitOf,
} from './installed.ts';

/** Removes what is in shared memory and only a running service uses: tokens, in whatever folder there, and screenshots. */
const emptyMemory: Partial<Record<string, string>> = {
  'metadata-server': 'find /dev/shm -mindepth 1 -user skolo-metadata-server -delete',
  'swarming-client': 'rm -rf /dev/shm/skolo-screen-*',
};

/** `skolo service disable`: the opposite of `enable`. State and configuration are kept. */
export function define(command: SkoloCommand): void {
  command
    .description(
      'Stops services on this computer and removes their units. Their state in /var/lib/skolo, rack.yaml, secrets and users are kept, so that you can enable the services again; its tokens in memory are deleted. If no service is left, the command also removes the programs in /opt/skolo.',
    )
    .summary('stop services on this computer')
    .argument('[services...]', 'for example router-backup')
    .option('--all', 'all enabled services')
    .uses()
    .example('skolo service disable router-backup');

  command.interruptible(async (signal, names: string[], { all }: { all?: true }) => {
    if (names.length > 0 === (all ?? false))
      throw usageError(
        'specify either services or --all; to list the services, run skolo service list',
      );
    const host = await thisComputer(signal);
    const enabled = await enabledServices(host);
    const given = all ? enabled : servicesNamed(names);
    for (const service of given) {
      if (!enabled.includes(service)) {
        command.io.out(`${service} is not enabled`);
        continue;
      }
      const unit = unitOf(service);
      await host.need(
        `set -e
systemctl disable --now --quiet ${unit}
rm -f /etc/systemd/system/${unit} ${dropInOf(service)}
rmdir --ignore-fail-on-non-empty "$(dirname ${dropInOf(service)})"
${emptyMemory[service] ?? ''}
systemctl daemon-reload`,
        { deadlineMs: stopWithinMs },
      );
      command.io.out(
        `${service}: stopped and disabled; its state in /var/lib/skolo/${service} is kept`,
      );
    }
    if ((await enabledServices(host)).length > 0) return;
    await removeVersions(host);
    await host.need(`rm -f ${current}; [ ! -d ${opt} ] || rmdir --ignore-fail-on-non-empty ${opt}`);
  });
}
