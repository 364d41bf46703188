/** Loads a version into its device, after a person has confirmed what it changes. */

import { ApiError, ApiUnreachable, type ClientAnswer, type routerBackupApi } from '@skolo/api';
import type { SkoloCommand } from '../../command.ts';
import { CliError, complain, exitCodes } from '../../errors.ts';
import { type Io, printJson } from '../../io.ts';
import { mustType } from '../../must-type.ts';
import { plain, visible } from '../../output/text.ts';
import { relative, timestamp } from '../../output/time.ts';
import { interruptible } from '../../reach/racks.ts';
import {
  explained,
  type RouterBackup,
  routerBackup,
  unexplained,
} from '../../reach/service-client.ts';
import { partLines, restoreLine, shortVersionId } from './backup-text.ts';
import { printDiff } from './diff.ts';

interface Context {
  command: SkoloCommand;
  json: boolean;
}

interface Wanted {
  equipment: string;
  version: string;
}

type Checked = ClientAnswer<(typeof routerBackupApi)['checkRestore']>;

/** `fetch`'s limit for the first byte. */
const equipmentMs = 300_000;

/** Shows what would change. Sets the exit code if the device rejects it. */
export async function checkVersion(context: Context, wanted: Wanted): Promise<void> {
  const { command, json } = context;
  const { io } = command;
  const service = routerBackup(command);
  const checked = await check(service, wanted);
  if (json) printJson(io, checked);
  else printChecked(io, wanted.equipment, checked);
  if (checked.accepted === false) io.exitCode = exitCodes.failed;
}

/** Shows what changes, asks, and loads it. */
export async function applyVersion(
  context: Context,
  { reason, yes, ...wanted }: Wanted & { reason: string; yes: boolean },
): Promise<void> {
  const { command, json } = context;
  const { io } = command;
  const { equipment } = wanted;
  const service = routerBackup(command);
  const checked = await check(service, wanted);
  if (!json) printChecked(io, equipment, checked);
  if (!checked.canApply) {
    const line = restoreLine(command, equipment, checked.version.id);
    throw new CliError(
      `${equipment}: this model does not support automatic restore; run ${line} to print the steps`,
    );
  }
  if (checked.accepted === false) throw new CliError(`${equipment}: nothing was changed`);
  if (checked.diff === '') {
    const done = { version: checked.version, restored: true, remaining: '', steps: [] };
    if (json) return printJson(io, done);
    return io.err(`${equipment} already has this version`);
  }
  if (!yes) {
    const what = 'the name to continue';
    await interruptible(command, (signal) =>
      mustType(io, { what, wanted: equipment, option: '--yes' }, signal),
    );
  }
  const { version, restored, remaining, steps } = await load(context, service, {
    equipment,
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
    return complain(io, `${equipment}: loaded, but the differences above remain`);
  }
  if (!restored) return complain(io, `${equipment}: not restored; see the last step`);
  io.err(`${equipment}: restored to version ${shortVersionId(version.id)}`);
}

function check(service: RouterBackup, { equipment, version }: Wanted): Promise<Checked> {
  const params = { equipment, version };
  return service.ask((client) => client.checkRestore({ params, timeoutMs: equipmentMs }));
}

function printChecked(io: Io, equipment: string, checked: Checked): void {
  const { version, diff, rehearsed, accepted, said = '' } = checked;
  const { time, id } = version;
  const read = `read ${timestamp(time)}, ${relative(time, io.now())}`;
  if (diff === '') io.out(`${equipment} runs version ${shortVersionId(id)} (${read})`);
  else {
    printDiff(io, diff);
    io.out(
      `\nthe diff compares the running configuration of ${equipment} with version ${shortVersionId(id)} (${read})`,
    );
  }
  for (const line of partLines(version)) io.out(line);
  io.out(`${equipment} ${verdictOf(rehearsed ? accepted : undefined)}`);
  if (said.trim() !== '') io.out(indented(said));
}

function verdictOf(accepted: boolean | undefined): string {
  if (accepted === undefined) return 'cannot check this version';
  return accepted ? 'accepts this version' : 'rejects this version';
}

function indented(text: string): string {
  return visible(text)
    .trimEnd()
    .replaceAll(/^(?=.)/gm, '  ');
}

async function load(
  { command }: Context,
  service: RouterBackup,
  { equipment, version, ...body }: Wanted & { running: string; reason: string },
) {
  const look = restoreLine(command, equipment, version, '--check');
  try {
    const request = { params: { equipment, version }, body, timeoutMs: equipmentMs };
    return await service.ask((client) => client.restore(request));
  } catch (error) {
    if (error instanceof ApiError && error.status === 409) {
      throw explained(error, `nothing was changed; run ${look} to see the current difference`);
    }
    const lost = unexplained(error);
    if (!(lost instanceof ApiUnreachable)) throw error;
    throw explained(lost, `the version may have been loaded; check with ${look}`);
  }
}
