import type { ChildProcess } from 'node:child_process';
import type { Readable } from 'node:stream';
import type { OpenRack } from '@skolo/fleet';
import { z } from 'zod';
import { upTo } from '../../arguments.ts';
import type { SkoloCommand } from '../../command.ts';
import { CliError } from '../../errors.ts';
import { visible } from '../../output/text.ts';
import { kubectlJson } from '../../reach/kubectl-json.ts';
import { interruptible, openJumphostOf, openNamed, rackNamed } from '../../reach/racks.ts';
import { programEnd } from '../../reach/run-program.ts';

interface LogsOptions {
  k3s?: true;
  unit?: string;
  follow?: true;
  lines: number;
}

/** `skolo logs`: prints log lines of a service, of a machine's agent, or of a unit on the jumphost. */
export function define(command: SkoloCommand): void {
  command
    .description(
      'Prints log lines from a service, the agent on a machine, k3s, or a systemd unit on the jumphost. For systemd units, you must be allowed to run `sudo -n journalctl` on the jumphost.',
    )
    .argument('<rack>', 'rack name, as listed by skolo racks')
    .argument('[source]', 'service or machine name')
    .option('--k3s', 'show the k3s log on the jumphost')
    .option('--unit <unit>', 'show the log of this systemd unit on the jumphost')
    .option('-f, --follow', 'print new lines until you press Ctrl-C')
    .option(
      '--lines <n>',
      'number of most recent lines to print per container or unit',
      upTo(1_000_000),
      100,
    )
    .uses('clusters')
    .example('skolo logs rack4 power-cycle-daemon -f');

  command.action(async (name: string, source: string | undefined, options: LogsOptions) => {
    const { k3s, unit = k3s ? 'k3s' : undefined } = options;
    if ([source, k3s, options.unit].filter((each) => each !== undefined).length !== 1) {
      command.error("specify a service, a machine, '--k3s' or '--unit'");
    }
    const child =
      unit === undefined
        ? await ofPods(command, name, source ?? '', options)
        : await ofUnit(command, name, unit, options);
    const { io } = command;
    const [{ exitCode }] = await Promise.all([
      programEnd(io, 'the log', child),
      show(child.stdout, (text) => io.raw(text)),
      show(child.stderr, (text) => io.err(text.trimEnd())),
    ]);
    io.exitCode = exitCode;
  });
}

/** Makes a program's output safe for a terminal: a task on a machine, or a phone, controls its log lines. */
async function show(
  output: Readable | null,
  print: (text: string) => void | Promise<void>,
): Promise<void> {
  for await (const chunk of output?.setEncoding('utf8') ?? []) await print(visible(String(chunk)));
}

async function ofUnit(
  command: SkoloCommand,
  name: string,
  unit: string,
  { follow, lines }: LogsOptions,
): Promise<ChildProcess> {
  if (!/^[\w@.:-]+$/.test(unit)) command.error(`'${unit}' is not a valid unit name`);
  const jumphost = await openJumphostOf(command, await rackNamed(command, name));
  const line = `sudo -n journalctl --no-pager -n ${lines} ${follow ? '-f ' : ''}-u '${unit}'`;
  return await interruptible(command, (signal) =>
    jumphost.startOnJumphost(line, { stdio: ['ignore', 'pipe', 'pipe'] }, signal),
  );
}

const Pods = z.object({
  items: z.array(
    z.object({
      metadata: z.object({
        name: z.string(),
        namespace: z.string(),
        labels: z.record(z.string(), z.string()).default({}),
      }),
      spec: z.object({ nodeName: z.string().optional() }),
    }),
  ),
});
type Pod = z.output<typeof Pods>['items'][number];

const nameLabel = 'app.kubernetes.io/name';
const agent = 'swarming-client';

async function ofPods(
  command: SkoloCommand,
  name: string,
  source: string,
  { follow, lines }: LogsOptions,
): Promise<ChildProcess> {
  const open = await openNamed(command, name, 'view');
  const { items } = await interruptible(command, (signal) =>
    kubectlJson(open, Pods, ['get', 'pods', '-A', '-l', nameLabel], signal),
  );
  const service = items.find((pod) => serviceOf(pod) === source);
  const machine = items.find((pod) => serviceOf(pod) === agent && pod.spec.nodeName === source);
  const options = ['--all-containers', `--tail=${lines}`, ...(follow ? ['--follow'] : [])];
  if (service) {
    const { namespace } = service.metadata;
    const all = ['-l', `${nameLabel}=${source}`, '--prefix', '--max-log-requests=1000'];
    return logs(open, ['-n', namespace, ...all, ...options]);
  }
  if (machine) {
    const { metadata } = machine;
    return logs(open, ['-n', metadata.namespace, metadata.name, ...options]);
  }
  const { didYouMean } = await import('@skolo/rack/light');
  const known = new Set(
    items.flatMap((pod) => [serviceOf(pod) ?? [], pod.spec.nodeName ?? []].flat()),
  );
  throw new CliError(
    `${source}: neither a service in ${name} nor a machine with an agent pod${didYouMean(source, known)}`,
  );
}

function serviceOf({ metadata }: Pod): string | undefined {
  return metadata.labels[nameLabel];
}

function logs({ spawn }: OpenRack, args: readonly string[]): ChildProcess {
  return spawn('kubectl', ['logs', ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
}
