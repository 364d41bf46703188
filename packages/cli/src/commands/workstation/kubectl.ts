import { pause } from '@skolo/base';
import type { OpenRack } from '@skolo/fleet';
import type { Role } from '@skolo/rack';
import type { SkoloCommand } from '../../command.ts';
import { openNamed, roleOption } from '../../reach/racks.ts';
import { type ProgramEnd, programEnd } from '../../reach/run-program.ts';

/** `skolo kubectl`: runs kubectl on a rack's cluster. */
export function define(command: SkoloCommand): void {
  command
    .description(
      "Runs kubectl on a rack's cluster. Put skolo options before the rack name; everything after the name is passed to kubectl. A watch (get --watch) restarts after an interruption.",
    )
    .argument('<rack>', 'rack name, as listed by skolo racks')
    .argument('[arguments...]', 'arguments for kubectl')
    .addOption(roleOption())
    .uses('clusters')
    .example('skolo kubectl rack4 get pods -A --watch');

  command.action(async (name: string, args: string[], { role }: { role: Role }) => {
    const { io } = command;
    const open = await openNamed(command, name, role);
    let end = await run(command, open, args);
    while (isWatch(args) && !end.isStopped && (end.exitCode === 0 || !(await isReady(open)))) {
      const stopped = await untilReady(command, open);
      if (stopped) break;
      io.err(`skolo: ${name}: the watch was interrupted; restarting it`);
      end = await run(command, open, args);
    }
    io.exitCode = end.exitCode;
  });
}

function run({ io }: SkoloCommand, open: OpenRack, args: readonly string[]): Promise<ProgramEnd> {
  return programEnd(io, 'kubectl', open.spawn('kubectl', args, { stdio: 'inherit' }));
}

const firstPauseMs = 250;
const longestPauseMs = 5_000;

/** Whether a signal came first. */
async function untilReady({ io }: SkoloCommand, open: OpenRack): Promise<boolean> {
  const stop = new AbortController();
  const end = io.onSignal(() => stop.abort());
  const { signal } = stop;
  for (let ms = firstPauseMs; !signal.aborted; ms = Math.min(2 * ms, longestPauseMs)) {
    if (await isReady(open)) break;
    await pause(ms, signal).catch(() => {});
  }
  end();
  return signal.aborted;
}

function isReady({ kubectl }: OpenRack): Promise<boolean> {
  return kubectl(['get', '--raw=/readyz', '--request-timeout=5s']).then(
    () => true,
    () => false,
  );
}

/** kubectl exits a watch with 0 when the connection is lost. */
function isWatch(args: readonly string[]): boolean {
  const own = args.slice(0, args.includes('--') ? args.indexOf('--') : undefined);
  const verb = own.find((word) => !word.startsWith('-'));
  if (verb !== 'get' && verb !== 'events') return false;
  return own.some((word) => /^(-w|--watch(-only)?)(=true)?$|^-[A-Za-z]*w$/.test(word));
}
