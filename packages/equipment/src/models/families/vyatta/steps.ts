/** The steps to restore a version manually, in text that the router accepts. */
import type { RestoreAbout, RestoreStep } from '../../contract/backup.ts';
import { hereDocument, onDevice } from '../command-line/restore-lines.ts';
import { linesOf } from '../command-line/text-reading.ts';

const file = '/tmp/version.boot';

const confirmed: RestoreStep[] = [
  onDevice(
    'Commit the version, and answer y. Unless you confirm within 10 minutes, the router restarts with its saved configuration. If it reports that it does not keep revisions, commit without confirmation at its serial console',
    ['commit-confirm 10', 'y'],
  ),
  onDevice('Sign in again in another window. If that works, confirm and save', [
    'confirm',
    'save',
    'exit',
  ]),
];

/** Through `sh`, because the router's own shell would show help at each `?` and tab. */
export function fileSteps(content: Buffer, { device, id, time }: RestoreAbout): RestoreStep[] {
  return [
    onDevice(
      `Sign in to ${device.name} as a user with the admin level, and write the version from ${time} (${id}) to a file`,
      ['sh', 'umask 077', ...hereDocument(file, linesOf(content)), 'exit'],
    ),
    onDevice(
      'Load the version, and check the changes. The version replaces the whole configuration, but is not active yet',
      ['configure', `load ${file}`, 'compare'],
    ),
    ...confirmed,
    onDevice('Remove the file, because it contains secrets', [`rm ${file}`]),
  ];
}

/** At the top level of a configuration. */
const areas =
  'cluster container custom-attribute firewall high-availability interfaces load-balance nat pki policy port-forward protocols qos service system traffic-control traffic-policy vpn vrf zone-policy'.split(
    ' ',
  );

/** For a version of `set` commands. */
export function commandSteps(content: Buffer, { device, id, time }: RestoreAbout): RestoreStep[] {
  const commands = content
    .toString()
    .split('\n')
    .filter((line) => line.startsWith('set '));
  const all = new Set([...areas, ...commands.map((line) => line.split(' ')[1] ?? '')]);
  return [
    onDevice(
      `Sign in to ${device.name} as a user with the admin level. Delete all sections, even those that the router does not have. The changes do not take effect yet`,
      ['configure', ...[...all].map((area) => `delete ${area}`)],
    ),
    onDevice(`Enter the statements of the version from ${time} (${id}), and check the changes`, [
      ...commands,
      'compare',
    ]),
    ...confirmed,
  ];
}
