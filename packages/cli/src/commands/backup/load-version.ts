/** Loading a version into its device: never before it is seen what that changes. */

import { ApiError, ApiUnreachable, type ClientAnswer, type routerBackupApi } from '@skolo/api';
import type { SkoloCommand } from '../../command.ts';
import { commandLine } from '../../command.ts';
import { CliError, complain, exitCodes } from '../../errors.ts';
import type { Io } from '../../io.ts';
import { printJson } from '../../io.ts';
import { plain, visible } from '../../output/text.ts';
import { relative, timestamp } from '../../output/time.ts';
import { explained, type RouterBackup, routerBackup } from '../../service-client.ts';
import { shortVersionId } from './backup-words.ts';
import { printDiff } from './diff.ts';

interface Context {
  io: Io;
  command: SkoloCommand;
  json: boolean;
}

interface Wanted {
  device: string;
  version: string;
}

type Checked = ClientAnswer<(typeof routerBackupApi)['checkRestore']>;

/** `fetch` waits no longer for an answer to begin. */
const deviceMs = 300_000;

/** Shows what would change. Fails where the device would not take it. */
export async function checkVersion(context: Context, wanted: Wanted): Promise<void> {
  const { io, json } = context;
  const service = await routerBackup(context.command);
  const checked = await check(service, wanted);
  if (json) printJson(io, checked);
  else printChecked(io, wanted.device, checked);
  if (checked.accepted === false) io.exitCode = exitCodes.failed;
}

/** Loads it once it is seen, and agreed to. */
export async function applyVersion(
  context: Context,
  { reason, yes, ...wanted }: Wanted & { reason: string; yes: boolean },
): Promise<void> {
  const { io, command, json } = context;
  const { device } = wanted;
  const service = await routerBackup(command);
  const checked = await check(service, wanted);
  if (!json) printChecked(io, device, checked);
  if (!checked.canApply) {
    const line = commandLine(
      command,
      'backup restore',
      device,
      '--version',
      shortVersionId(checked.version.id),
    );
    throw new CliError(
      `${device}: there is no safe way to load it into this model; ${line} prints how it is done by hand`,
    );
  }
  if (checked.accepted === false) throw new CliError(`${device}: nothing was changed`);
  if (checked.diff === '') {
    const done = { version: checked.version, restored: true, remaining: '', steps: [] };
    if (json) return printJson(io, done);
    return io.err(`${device}: nothing to do`);
  }
  if (!yes) await agree(io, device);
  const { version, restored, remaining, steps } = await load(context, service, {
    device,
    version: checked.version.id,
    running: checked.running,
    reason,
  });
  const isWhole = restored && remaining === '';
  if (!isWhole) io.exitCode = remaining === '' ? exitCodes.failed : exitCodes.partlyFailed;
  if (json) return printJson(io, { version, restored, remaining, steps });
  for (const step of steps) io.out(plain(step));
  if (remaining !== '') {
    printDiff(io, remaining);
    return complain(io, `${device}: it was loaded, and the difference above is left`);
  }
  if (!restored) return complain(io, `${device}: it was not restored; see the last step`);
  io.err(`${device} has version ${shortVersionId(version.id)} again`);
}

function check(service: RouterBackup, params: Wanted): Promise<Checked> {
  return service.ask((client) => client.checkRestore({ params, timeoutMs: deviceMs }));
}

function printChecked(io: Io, device: string, checked: Checked): void {
  const { version, diff, rehearsed, accepted, said = '' } = checked;
  const { time, id } = version;
  const read = `read ${timestamp(time)}, ${relative(time, io.now())}`;
  if (diff === '') io.out(`${device} has exactly version ${shortVersionId(id)} (${read})`);
  else {
    printDiff(io, diff);
    io.out(`\nthat is from what ${device} has now to version ${shortVersionId(id)} (${read})`);
  }
  io.out(`${device} ${verdictOf(rehearsed ? accepted : undefined)}`);
  if (said.trim() !== '') io.out(indented(said));
}

function verdictOf(accepted: boolean | undefined): string {
  if (accepted === undefined) return 'cannot rehearse it';
  return accepted ? 'would take it' : 'does not take it';
}

function indented(text: string): string {
  return visible(text)
    .trimEnd()
    .replaceAll(/^(?=.)/gm, '  ');
}

async function agree(io: Io, device: string): Promise<void> {
  const answer = await io.ask('Type the name of the device to go on: ');
  if (answer?.trim() === device) return;
  throw new CliError(`${device}: nothing was changed`);
}

async function load(
  { command }: Context,
  service: RouterBackup,
  { device, version, ...body }: Wanted & { running: string; reason: string },
) {
  const look = commandLine(
    command,
    'backup restore',
    device,
    '--version',
    shortVersionId(version),
    '--check',
  );
  try {
    const request = { params: { device, version }, body, timeoutMs: deviceMs };
    return await service.ask((client) => client.restore(request));
  } catch (error) {
    if (error instanceof ApiError && error.status === 409) {
      throw explained(error, `nothing was changed; ${look} shows what it has now`);
    }
    // With what to do about it, it is the cause of another error.
    const lost = error instanceof CliError ? error.cause : error;
    if (!(lost instanceof ApiUnreachable)) throw error;
    throw explained(lost, `it is not known what was done; to see it: ${look}`);
  }
}
