/** How to set up Raspberry Pis: from rack.yaml, from files on this workstation, and from options; whether it has Wi-Fi. */

import { readFile } from 'node:fs/promises';
import { isIPv4 } from 'node:net';
import { resolve } from 'node:path';
import { count, sha256 } from '@skolo/base';
import { Secret } from '@skolo/base/secrets';
import { hostsFile, type Rack } from '@skolo/rack';
import { didYouMean, expandNames } from '@skolo/rack/light';
import { linesOf } from '@skolo/setup/engine';
import { fixedAddress } from '@skolo/setup/jumphost';
import { clusterOn, k3sProgram, k3sVersion } from '@skolo/setup/k3s';
import { type PiIdentity, type PiSetup, parseSetup } from '@skolo/setup/pi';
import { dnsOption, ipv4, upTo } from '../../arguments.ts';
import type { SkoloCommand } from '../../command.ts';
import { CliError } from '../../errors.ts';
import { expandedNames, folded } from '../../names.ts';
import { openJumphostHost, targetOf } from '../../reach/machine-way.ts';
import { usualUser } from '../../reach/pis.ts';
import { rackOn } from '../../reach/racks.ts';
import { readSecretFile } from '../../workstation/given-file.ts';
import { publicKeys } from '../../workstation/public-keys.ts';
import { rackIfAny } from '../../workstation/rack-file.ts';
import { downloadOf } from '../jumphost/steps/open-steps.ts';
import { warnOfNoRoute } from './no-route.ts';
import type { IdentityNeeds, SetupOptions } from './setup-options.ts';
import { sharedImage } from './shared-image.ts';

/** Options that determine how a card sets up a machine. */
export function addSetupOptions(command: SkoloCommand): SkoloCommand {
  return addSystemOptions(
    command
      .option(
        '--address <range>',
        'addresses for machines that are not in rack.yaml, one per name, such as 192.168.1.[101-110]/24',
      )
      .option('--dhcp', 'use DHCP, even if rack.yaml specifies a fixed address')
      .option(
        '--gateway <address>',
        'gateway (default: `network.gateway` in rack.yaml, or the equipment with `uplink: internet`; with --address, none)',
        ipv4,
      ),
    'name servers (default: the gateway)',
  )
    .option(
      '--join',
      'join the cluster specified by --on, with a token that expires after 24 hours',
    )
    .option(
      '--join-token-file <file>',
      'join a k3s cluster, with the token in this file: the output of `k3s token create --ttl 24h` on the server',
    )
    .option(
      '--secret-days <number>',
      'with --shared: number of days for which new cards with the image can enrol',
      upTo(366),
      30,
    )
    .option(
      '--server <address>',
      'address of the k3s server, which is also the default NTP server (default: the jumphost in rack.yaml)',
    )
    .option(
      '--k3s <version>',
      `k3s version (default: with --join, the server's version, otherwise ${k3sVersion})`,
    )
    .option('--files <folder>', 'download directory for k3s; existing files are reused');
}

/** @param dns default without that option */
export function addSystemOptions(command: SkoloCommand, dns: string): SkoloCommand {
  return command
    .option('--user <name>', 'user name (default: from the login in rack.yaml, otherwise pi)')
    .option('--key <files...>', 'public key files that grant access (default: ~/.ssh/id_*.pub)')
    .addOption(dnsOption(dns))
    .option('--timezone <zone>', 'time zone (default: from rack.yaml, otherwise UTC)')
    .option('--keyboard <layout>', 'keyboard layout', 'us')
    .option('--locale <name>', 'locale', 'C.UTF-8')
    .option('--ntp <server...>', 'NTP servers (default: the jumphost in rack.yaml)')
    .option('--wifi <name>', 'Wi-Fi network')
    .option('--wifi-password-file <file>', 'file that contains the Wi-Fi password')
    .option('--wifi-country <code>', 'Wi-Fi country code, such as DE or US');
}

/** Downloads, made after everything else was checked. */
interface Parts {
  /** For k3s, from the boot partition. */
  program?: Buffer | undefined;
  enrolment?: PiSetup['enrolment'] | undefined;
}

interface Setups {
  rack: Rack | undefined;
  /** For machines; for a shared image, those of cards. */
  names: string[];
  /** @throws PiError It is not valid. */
  of(name: string, parts: Parts): PiSetup;
  /** The k3s binary. Undefined: they join no cluster. */
  program: ((architecture: 'arm64' | 'armhf') => Promise<Buffer>) | undefined;
  /** A new enrolment secret of the rack. Undefined: each card has its machine's identity. */
  enrolment: (() => Promise<NonNullable<PiSetup['enrolment']>>) | undefined;
}

/** Reads everything except the base image. @throws CliError @throws PiError */
export async function readSetups(
  command: SkoloCommand,
  words: readonly string[],
  options: SetupOptions,
  signal: AbortSignal,
): Promise<Setups> {
  const rack = await rackIfAny(command.globals());
  const shared =
    options.shared === undefined ? undefined : sharedImage(command, { words, rack, options });
  if (!shared && words.length === 0) command.error('specify machines or --shared');
  const names = shared ? shared.names : expandedNames(words);
  const identities = shared?.identities ?? identitiesOf(command, { names, rack, options });
  const keys = await publicKeys(command, options.key);
  const wifi = await wifiOf(command, options);
  const fixed = [...identities].filter(([, { wired }]) => wired !== 'dhcp' && !wired.gateway);
  if (fixed.length > 0 && wifi === 'off')
    warnOfNoRoute(command.io, folded(fixed.map(([name]) => name)));
  const cluster = await clusterOf(command, words, options, signal);
  const server = options.server ?? rack?.jumphost.address;
  if (cluster !== undefined && server === undefined) {
    command.error('--join-token-file requires a server; specify one with --server');
  }
  const joins = cluster !== undefined || shared !== undefined;
  const version = cluster?.version ?? options.k3s ?? k3sVersion;
  const download = downloadOf(command, options, signal);
  return {
    rack,
    names,
    program: joins
      ? async (architecture) => {
          const program = await k3sProgram(architecture, { version, download });
          return await readFile(program.file);
        }
      : undefined,
    enrolment: shared?.enrolment,
    of(name, { program, enrolment }) {
      const identity = identities.get(name) as PiIdentity;
      return parseSetup({
        identity,
        ...(rack && { domain: rack.network.domain }),
        user: { name: options.user ?? userOf(rack, shared?.example ?? name) ?? usualUser, keys },
        wifi,
        nameServers: [...(shared?.nameServers ?? nameServersOf(options, identity))],
        hosts: rack ? linesOf(hostsFile(rack)).filter((line) => !line.startsWith('#')) : [],
        timezone: options.timezone ?? rack?.timezone ?? 'UTC',
        keyboard: options.keyboard,
        locale: options.locale,
        timeServers:
          options.ntp ?? (server === undefined || name === rack?.jumphost.name ? [] : [server]),
        ...(joins &&
          server !== undefined && {
            cluster: {
              server,
              programSha256: sha256(program ?? Buffer.alloc(0)),
              ...(cluster && { token: cluster.token }),
            },
          }),
        ...(enrolment && { enrolment }),
      });
    },
  };
}

function identitiesOf(
  command: SkoloCommand,
  { names, rack, options }: IdentityNeeds,
): Map<string, PiIdentity> {
  const given = options.address === undefined ? undefined : expandNames(options.address);
  if (given !== undefined && given.length !== names.length) {
    command.error(
      `--address: ${count(given.length, 'address', 'addresses')} for ${count(names.length, 'machine')}; specify one address for each machine`,
    );
  }
  return new Map(
    names.map((hostname, at) => {
      const text = given?.[at];
      const wired = text ? wiredOf(command, text, options) : wiredIn(rack, hostname, options);
      const mac = rack && machineIn(rack, hostname)?.mac;
      return [hostname, { hostname, wired, ...(mac !== undefined && { mac }) }];
    }),
  );
}

function wiredOf(command: SkoloCommand, text: string, { gateway }: SetupOptions) {
  const [address = '', length = ''] = text.split('/');
  if (!isIPv4(address) || !/^([1-9]|[12]\d|3[0-2])$/.test(length)) {
    command.error(
      `--address: ${text} is not an IPv4 address with a prefix length, such as 192.168.1.101/24`,
    );
  }
  return { address, prefix: Number(length), ...(gateway !== undefined && { gateway }) };
}

function wiredIn(
  rack: Rack | undefined,
  name: string,
  { dhcp, gateway, dns }: SetupOptions,
): PiIdentity['wired'] {
  const machine = rack && machineIn(rack, name);
  if (rack !== undefined && machine === undefined && !dhcp) {
    throw new CliError(
      `${name}: not in rack.yaml; add it there, or specify --address or --dhcp${didYouMean(name, rack.machines.keys())}`,
    );
  }
  if (rack === undefined || dhcp || machine?.address === undefined) return 'dhcp';
  const { address } = machine;
  const { nameServers: _, ...wired } = fixedAddress(rack, {
    name,
    address,
    gateway,
    nameServers: dns,
  });
  return wired;
}

function machineIn(rack: Rack, name: string) {
  return name === rack.jumphost.name ? rack.jumphost : rack.machines.get(name);
}

function nameServersOf({ dns }: SetupOptions, { wired }: PiIdentity) {
  if (dns !== undefined || wired === 'dhcp') return dns ?? [];
  return wired.gateway === undefined ? [] : [wired.gateway];
}

function userOf(rack: Rack | undefined, name: string): string | undefined {
  const machine = rack?.machines.get(name);
  const username = rack && machine && targetOf(rack, machine).user;
  // root needs no ssh login: keys are for a user who can use sudo.
  return username === 'root' ? undefined : username;
}

async function wifiOf(
  command: SkoloCommand,
  { wifi: ssid, wifiPasswordFile, wifiCountry: country }: SetupOptions,
): Promise<PiSetup['wifi']> {
  if (ssid === undefined) return 'off';
  if (wifiPasswordFile === undefined || country === undefined) {
    command.error('--wifi: also specify --wifi-password-file and --wifi-country');
  }
  const file = resolve(command.io.folder, wifiPasswordFile);
  return { ssid, country, password: await readSecretFile(file, 'correct --wifi-password-file') };
}

/** k3s token and version; undefined: machines join no cluster. */
async function clusterOf(
  command: SkoloCommand,
  words: readonly string[],
  { join, joinTokenFile, server, k3s }: SetupOptions,
  signal: AbortSignal,
): Promise<{ token: Secret; version?: string | undefined } | undefined> {
  if (join === undefined) {
    if (joinTokenFile === undefined) return undefined;
    const file = resolve(command.io.folder, joinTokenFile);
    const token = await readSecretFile(file, 'correct --join-token-file');
    return { token };
  }
  if (joinTokenFile !== undefined)
    command.error('--join creates its own token; omit --join-token-file');
  if (server !== undefined)
    command.error('--join joins the cluster that --on specifies; omit --server');
  const rack = await rackOn(command);
  const what = `join token for the SD cards of ${words.join(' ')}`;
  const cluster = clusterOn((await openJumphostHost(command, rack, { what, signal })).host);
  return {
    ...(k3s === undefined && { version: await cluster.version() }),
    token: new Secret(await cluster.newToken('24h', what)),
  };
}
