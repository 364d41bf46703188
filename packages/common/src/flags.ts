import { isIP } from 'node:net';
import { parseArgs } from 'node:util';
import { type ServiceName, servicePorts } from '@skolo/rack/ports';
import { type LogLevel, logLevels } from './log.ts';

/** What a service is started with: flag over environment over default. */
export interface Flags {
  rackFile: string;
  port: number;
  metricsPort: number;
  host: string | undefined;
  stateDir: string;
  logLevel: LogLevel;
  check: boolean;
}

/** One line that says what is wrong with the command line or the environment. */
export class UsageError extends Error {
  readonly code = 'USAGE';
}

interface Flag {
  name: string;
  value?: string;
  env?: string;
  fallback?: string;
  help: string;
}

function flagsOf(service: ServiceName): Flag[] {
  const { port, metricsPort } = servicePorts[service];
  return [
    {
      name: 'rack',
      value: 'FILE',
      env: 'SKOLO_RACK',
      fallback: '/etc/skolo/rack.yaml',
      help: 'the inventory',
    },
    {
      name: 'port',
      value: 'N',
      env: 'SKOLO_PORT',
      fallback: `${port}`,
      help: 'port to listen on; 0 = any free one',
    },
    {
      name: 'metrics-port',
      value: 'N',
      env: 'SKOLO_METRICS_PORT',
      fallback: `${metricsPort}`,
      help: 'port of /metrics, /healthz, /readyz',
    },
    {
      name: 'host',
      value: 'ADDR',
      env: 'SKOLO_HOST',
      help: 'address to listen on (default: all, IPv6 and IPv4)',
    },
    {
      name: 'state-dir',
      value: 'DIR',
      env: 'SKOLO_STATE_DIR',
      fallback: `/var/lib/skolo/${service}`,
      help: 'all that it writes',
    },
    {
      name: 'log-level',
      value: 'L',
      env: 'SKOLO_LOG_LEVEL',
      fallback: 'info',
      help: logLevels.join(', '),
    },
    { name: 'check', help: 'check rack.yaml and the secrets that this service uses, and exit' },
    { name: 'help', help: 'show this' },
  ];
}

/**
 * The flags of a service; `help` if that is what was asked for. An empty variable counts as not set.
 *
 * @param args without the program
 * @throws UsageError
 */
export function parseFlags(
  service: ServiceName,
  args: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
): Flags | 'help' {
  const table = flagsOf(service);
  const given = givenFlags(table, args);
  if (given.has('help')) return 'help';

  /** The value, and what to call it in an error. */
  function read(name: string): { text: string; source: string } {
    const flag = table.find((each) => each.name === name);
    const fromFlag = given.get(name);
    if (fromFlag !== undefined) return { text: fromFlag, source: `--${name}` };
    const fromEnv = env[flag?.env ?? ''];
    if (fromEnv) return { text: fromEnv, source: flag?.env ?? '' };
    return { text: flag?.fallback ?? '', source: `--${name}` };
  }

  return {
    rackFile: read('rack').text,
    port: parsePort(read('port')),
    metricsPort: parsePort(read('metrics-port')),
    host: parseHost(read('host')),
    stateDir: read('state-dir').text,
    logLevel: parseLevel(read('log-level')),
    check: given.has('check'),
  };
}

function givenFlags(table: Flag[], args: readonly string[]): Map<string, string> {
  const options = Object.fromEntries(
    table.map(({ name, value }) => [
      name,
      { type: value ? ('string' as const) : ('boolean' as const) },
    ]),
  );
  const { tokens } = parseArgs({ args: [...args], options, strict: false, tokens: true });
  const given = new Map<string, string>();
  for (const token of tokens) {
    if (token.kind === 'option-terminator') continue;
    if (token.kind === 'positional') {
      throw new UsageError(`unexpected argument ${token.value}; all arguments are flags`);
    }
    const flag = table.find((each) => each.name === token.name);
    if (flag === undefined) throw new UsageError(`unknown flag ${token.rawName}`);
    // `--rack --check`: the value was forgotten.
    const isFlag = token.inlineValue === false && token.value.startsWith('-');
    if (flag.value !== undefined && (!token.value || isFlag)) {
      throw new UsageError(`--${flag.name} wants a value: --${flag.name} ${flag.value}`);
    }
    if (flag.value === undefined && token.value !== undefined) {
      throw new UsageError(`--${flag.name} takes no value`);
    }
    given.set(flag.name, token.value ?? '');
  }
  return given;
}

interface Read {
  text: string;
  source: string;
}

function parsePort({ text, source }: Read): number {
  const port = /^\d{1,5}$/.test(text) ? Number(text) : Number.NaN;
  if (port <= 65_535) return port;
  throw new UsageError(`${source}: ${text} is not a port; give a number from 0 to 65535`);
}

function parseHost({ text, source }: Read): string | undefined {
  if (text === '') return undefined;
  if (isIP(text) !== 0 || /^[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?$/.test(text)) return text;
  throw new UsageError(`${source}: ${text} is not an address; give one such as 127.0.0.1 or ::1`);
}

function parseLevel({ text, source }: Read): LogLevel {
  const level = logLevels.find((each) => each === text);
  if (level !== undefined) return level;
  throw new UsageError(
    `${source}: ${text} is not a log level; give one of ${logLevels.join(', ')}`,
  );
}

/** What `--help` prints. */
export function usage(service: ServiceName): string {
  const rows = flagsOf(service).map(({ name, value, env, fallback, help }) => ({
    flag: value ? `--${name} ${value}` : `--${name}`,
    env: env ?? '',
    help: fallback === undefined ? help : `${help} (default ${fallback})`,
  }));
  const widths = { flag: widest(rows, 'flag'), env: widest(rows, 'env') };
  const lines = rows.map(
    ({ flag, env, help }) => `  ${flag.padEnd(widths.flag)}  ${env.padEnd(widths.env)}  ${help}`,
  );
  return [`usage: ${service} [flags]; a flag goes before its variable`, '', ...lines, ''].join(
    '\n',
  );
}

function widest<K extends string>(rows: Record<K, string>[], key: K): number {
  return Math.max(...rows.map((row) => row[key].length));
}
