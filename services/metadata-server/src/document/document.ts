/**
 * A caller's metadata document: project, instance, universe. It contains what Google's server shows for a virtual machine, filled from this
 * machine's entry in rack.yaml.
 */
import { sha256Bytes } from '@skolo/base';
import {
  type Identity,
  type Machine,
  machinePartOf,
  type Rack,
  swarmingSettings,
} from '@skolo/rack';
import type { Caller } from '../caller/caller-lookup.ts';
import {
  type Directory,
  dictionary,
  directory,
  list,
  type Node,
  number,
  text,
  values,
} from './tree.ts';

/** @param email that of rack.yaml, else of the credentials; undefined while neither is known */
export function metadataDocument(
  rack: Rack,
  caller: Caller,
  identity: Identity,
  email: string | undefined,
): Directory {
  return directory({
    computeMetadata: directory({
      v1: directory({
        instance: instance(rack, caller, identity, email),
        project: directory({
          attributes: attributes(identity.projectAttributes),
          'numeric-project-id': number(identity.projectNumber),
          'project-id': text(identity.project),
        }),
        universe: directory({ 'universe-domain': text(identity.universeDomain) }),
      }),
    }),
  });
}

/** With `bot: none`, a machine does not need an identity, but its agent needs its part of rack.yaml. Undefined for others. */
export function documentWithoutIdentity(rack: Rack, { machine }: Caller): Directory | undefined {
  if (!machine || swarmingSettings(rack, machine).bot !== 'none') return undefined;
  const instance = directory({ attributes: attributes(skoloMachine(rack, machine)) });
  return directory({ computeMetadata: directory({ v1: directory({ instance }) }) });
}

function skoloMachine(rack: Rack, machine: Machine): Record<string, string> {
  return { 'skolo-machine': JSON.stringify(machinePartOf(rack, machine)) };
}

function instance(rack: Rack, caller: Caller, identity: Identity, email: string | undefined): Node {
  const { machine } = caller;
  const { metadata } = machine ?? {};
  const project = `projects/${identity.projectNumber}`;
  return directory({
    attributes: attributes({
      ...metadata?.attributes,
      ...(machine && skoloMachine(rack, machine)),
    }),
    'cpu-platform': text(metadata?.cpuPlatform ?? 'Unknown CPU Platform'),
    description: text(metadata?.description ?? ''),
    disks: list(),
    'guest-attributes': {
      kind: 'closed',
      status: 403,
      message: 'Guest attributes endpoint access is disabled.',
    },
    hostname: text(`${caller.name}.${rack.network.domain}`),
    id: number(metadata?.id ?? derivedId(rack.name, caller.name)),
    image: text(metadata?.image ?? ''),
    licenses: list(),
    'machine-type': text(
      `${project}/machineTypes/${metadata?.machineType ?? machine?.kind ?? 'jumphost'}`,
    ),
    'maintenance-event': text('NONE'),
    name: text(caller.name),
    'network-interfaces': list(
      directory({
        'access-configs': list(),
        'dns-servers': values([]),
        'forwarded-ips': list(),
        ip: text(caller.address),
        'ip-aliases': list(),
        mac: machine?.mac ? text(machine.mac) : undefined,
        network: text(`${project}/networks/${rack.name}`),
        'target-instance-ips': values([]),
      }),
    ),
    preempted: text('FALSE'),
    'remaining-cpu-time': number('-1'),
    scheduling: directory({
      'automatic-restart': text('TRUE'),
      'on-host-maintenance': text('TERMINATE'),
      preemptible: text('FALSE'),
    }),
    'service-accounts': serviceAccounts(identity, email),
    tags: values(metadata?.tags ?? [], 'json'),
    'virtual-clock': directory({ 'drift-token': text('0') }),
    // Clients take the region from the part before the last hyphen.
    zone: text(`${project}/zones/${metadata?.zone ?? `us-${rack.name}-a`}`),
  });
}

function serviceAccounts(identity: Identity, email: string | undefined): Node {
  const account = directory({
    aliases: values(['default']),
    email: email === undefined ? emailNotKnownYet(identity) : text(email),
    identity: { kind: 'id-token' },
    scopes: values(identity.scopes),
    token: { kind: 'token' },
  });
  return dictionary({ default: account, ...(email !== undefined && { [email]: account }) });
}

function emailNotKnownYet(identity: Identity): Node {
  const message = `The e-mail address of identity ${identity.name} is unknown, because its credentials cannot be read or do not contain the address. Set the address in rack.yaml.`;
  return { kind: 'closed', status: 503, message };
}

function attributes(pairs: Record<string, string>): Node {
  return dictionary(
    Object.fromEntries(Object.entries(pairs).map(([key, value]) => [key, text(value)])),
  );
}

/** 63 bits: positive for clients that parse it as a signed integer, and constant. */
function derivedId(rack: string, name: string): string {
  const hash = sha256Bytes(`${rack}/${name}`);
  return (hash.readBigUInt64BE() >> 1n || 1n).toString();
}
