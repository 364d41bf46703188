/** `skolo racks add` and `remove`: changes of kube/clusters/config.json. */
import { dirname, join } from 'node:path';
import type { SkoloCommand } from '../../command.ts';
import { clustersFile } from '../../reach/racks.ts';

interface AddOptions {
  jumphost?: string;
  user?: string;
  jump?: string;
  zone?: string;
  project?: string;
  like?: string;
  images?: string;
  tag?: string;
}

/** `skolo racks add`: adds a rack to the list. */
export function add(command: SkoloCommand): void {
  command
    .description(
      "Adds a k3s rack to kube/clusters/config.json, or a GKE cluster with --zone and --project. The entry contains only keys that the Skia system also uses; add other keys in a text editor. With --like, the command also copies another rack's overlay, without its secrets and derived files, and changes the rack name.",
    )
    .summary('add a rack to the list')
    .argument('<name>', 'name of the rack')
    .option('--jumphost <host>', 'SSH host name of the jumphost (default: jumphost-NAME)')
    .option('--user <name>', 'SSH user name')
    .option('--jump <hosts>', "hosts to connect through, as in ssh's ProxyJump")
    .option('--zone <zone>', "the GKE cluster's zone")
    .option('--project <project>', "the GKE cluster's project")
    .option('--like <rack>', "copy this rack's overlay to kube/racks/NAME")
    .option('--images <prefix>', 'with --like: image prefix, such as registry.example.com/skolo/')
    .option('--tag <tag>', 'with --like: image tag')
    .uses('clusters')
    .example('skolo racks add rack5 --user ops')
    .example('skolo racks add rack5 --like rack4 --images registry.example.com/skolo/');

  command.action(async (name: string, options: AddOptions) => {
    const { zone, project, jumphost = `jumphost-${name}`, user, jump } = options;
    if ((zone === undefined) !== (project === undefined)) {
      command.error("specify both '--zone' and '--project' for a GKE cluster");
    }
    if (zone !== undefined && (options.jumphost ?? user ?? jump) !== undefined) {
      command.error('a GKE cluster has no jumphost; omit --jumphost, --user and --jump');
    }
    const { like, images: prefix, tag } = options;
    if (like === undefined && (prefix ?? tag) !== undefined) {
      command.error("'--images' and '--tag' require '--like'");
    }
    const { addRack } = await import('@skolo/fleet');
    const file = await clustersFile(command);
    if (like !== undefined) {
      const { copyOverlay } = await import('@skolo/fleet/push');
      const folder = join(dirname(dirname(file)), 'racks');
      await copyOverlay(folder, { from: like, to: name }, { prefix, tag });
      command.io.err(
        `${name}: copied the overlay of ${like} to ${join(folder, name)}; edit rack.yaml there`,
      );
    }
    await addRack(
      file,
      name,
      zone !== undefined && project !== undefined
        ? { type: 'gke', zone, project }
        : { type: 'k3s', jumphost, user, jump },
    );
    command.io.err(`${name}: added to ${file}`);
  });
}

/** `skolo racks remove`: removes a rack from the list. */
export function remove(command: SkoloCommand): void {
  command
    .description(
      'Removes a rack from kube/clusters/config.json. Its overlay and its cluster are left unchanged.',
    )
    .summary('remove a rack from the list')
    .argument('<name>', 'name of the rack')
    .uses('clusters')
    .example('skolo racks remove rack5');

  command.action(async (name: string) => {
    const { removeRack } = await import('@skolo/fleet');
    const file = await clustersFile(command);
    await removeRack(file, name);
    command.io.err(`${name}: removed from ${file}`);
  });
}
