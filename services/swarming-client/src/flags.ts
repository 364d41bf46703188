/** The agent's flags, with their defaults. */
import { isIP } from 'node:net';
import { hostname } from 'node:os';
import {
  type Flag,
  type FlagSet,
  type ProcessFlags,
  parsePort,
  processFlags,
  readProcessFlags,
  UsageError,
} from '@skolo/common/light';
import { hookPort } from '@skolo/rack/light';

/** `host`: the address on which status and metrics listen, and from which requests to the metadata server come. */
export interface Flags extends ProcessFlags {
  /** Also the bot's ID. */
  machine: string;
  /** Undefined: this machine's entry comes from the metadata server. */
  rackFile: string | undefined;
  metadataUrl: string;
  hookPort: number;
  /** Undefined: the power-cycle daemon has only its own port. */
  powerCyclePort: number | undefined;
}

const table: Flag[] = [
  {
    name: 'machine',
    value: 'NAME',
    env: 'SKOLO_MACHINE',
    help: 'name of this machine in rack.yaml, and of its bot (default: the short host name)',
  },
  {
    name: 'metadata-url',
    value: 'URL',
    env: 'SKOLO_METADATA_URL',
    fallback: 'http://metadata',
    help: "URL of the rack's metadata server",
  },
  {
    name: 'rack',
    value: 'FILE',
    env: 'SKOLO_RACK',
    help: 'path of a rack.yaml to use instead of the metadata server',
  },
  {
    name: 'hook-port',
    value: 'N',
    env: 'SKOLO_HOOK_PORT',
    fallback: `${hookPort}`,
    help: "port on 127.0.0.1 for the bot's hooks; 0 = any free port",
  },
  {
    name: 'power-cycle-port',
    value: 'N',
    env: 'SKOLO_POWER_CYCLE_PORT',
    help: 'on a k3s node, the jumphost port that the agent tries first to reach the power-cycle daemon',
  },
  ...processFlags('swarming-client', {
    port: 'port that serves the status',
    host: 'address to listen on and to send requests from',
    check:
      "check this machine's entry in rack.yaml, the bot's directory and Python, print all errors, and exit",
  }),
];

export const agentFlags: FlagSet<Flags> = {
  program: 'swarming-client',
  table,
  read(given) {
    const rackFile = given.read('rack').text;
    const powerCyclePort = given.read('power-cycle-port');
    return {
      ...readProcessFlags(given),
      machine: parseMachine(given.read('machine')),
      rackFile: rackFile === '' ? undefined : rackFile,
      metadataUrl: parseUrl(given.read('metadata-url')),
      hookPort: parsePort(given.read('hook-port')),
      powerCyclePort: powerCyclePort.text === '' ? undefined : parsePort(powerCyclePort),
    };
  },
};

function parseMachine({ text, source }: { text: string; source: string }): string {
  const name = (text === '' ? (hostname().split('.')[0] ?? '') : text).toLowerCase();
  if (/^[a-z0-9]([a-z0-9-]*[a-z0-9])?$/.test(name)) return name;
  throw new UsageError(`${source}: "${name}" is not a machine name`);
}

function parseUrl({ text, source }: { text: string; source: string }): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url?.protocol === 'http:' || url?.protocol === 'https:') return text.replace(/\/+$/, '');
  throw new UsageError(`${source}: ${text} is not a URL; specify one such as http://metadata`);
}

/** The source address of requests: the address that the agent listens on, if that is a single one. */
export function localAddressOf(host: string | undefined): string | undefined {
  if (host === undefined || isIP(host) === 0) return undefined;
  return host === '::' || host === '0.0.0.0' ? undefined : host;
}
