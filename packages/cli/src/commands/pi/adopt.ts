import { readFile } from 'node:fs/promises';
import type { WaitingPi } from '@skolo/api';
import type { Machine } from '@skolo/rack';
import type { RackEdit } from '@skolo/rack/edit';
import type { SkoloCommand } from '../../command.ts';
import { complain } from '../../errors.ts';
import { mustType } from '../../must-type.ts';
import { plain } from '../../output/text.ts';
import { age } from '../../output/time.ts';
import { interruptible } from '../../reach/racks.ts';
import { editedRack, writeRackFile } from '../../workstation/rack-edits.ts';
import { rackFile } from '../../workstation/rack-file.ts';
import { printDiff } from '../backup/diff.ts';
import { enrolmentService, shortKey, waitingPi } from './enrolment.ts';

interface Options {
  reason: string;
  key?: string;
  force?: true;
  yes?: true;
}

/** `skolo pi adopt`: assigns a machine's name to a waiting Pi. */
export function define(command: SkoloCommand): void {
  command
    .description(
      "Gives a Raspberry Pi with a pending enrolment the name of a machine in rack.yaml, and writes its serial number to that file. Within a minute, the Pi receives the name and the machine's iPhone pairing records, and joins the cluster. The command asks for confirmation, because only you can tell whether it is the right Pi. If a machine with that name is up, --force is required.",
    )
    .summary('name a Pi with a pending enrolment')
    .argument('<serial>', 'serial number, as listed by skolo pi waiting')
    .argument('<name>', 'name of a machine in rack.yaml')
    .requiredOption('--reason <text>', 'reason to record in the audit log')
    .option(
      '--key <start>',
      'first digits of the key, if several SD cards report this serial number',
    )
    .option('--force', 'assign the name even if a machine with that name is up')
    .option('--yes', 'do not ask for confirmation')
    .uses('rack', 'url', 'tokenFile')
    .example("skolo pi adopt 10000000f00dcafe rpi-007 --reason 'new board'");

  command.action(async (serial: string, name: string, options: Options) => {
    const { io } = command;
    const { reason, force = false, yes } = options;
    const service = enrolmentService(command);
    const pi = await waitingPi(service, { serial: serial.toLowerCase(), key: options.key });
    io.err(plain(`${pi.serial}: ${pi.model}, ${pi.macs.join(', ')}, key ${shortKey(pi.key)}`));
    io.err(plain(`pending for ${age(pi.since, io.now())} at ${pi.from}: ${pi.why}`));
    if (!yes) {
      await interruptible(command, (signal) =>
        mustType(io, { what: `${name} to confirm`, wanted: name, option: '--yes' }, signal),
      );
    }
    await service.ask((client) => client.adopt({ body: { key: pi.key, name, reason, force } }));
    io.err(
      `${name}: the Pi receives this name within a minute; to check this, run skolo pi waiting --enrolled`,
    );
    await writeRack(command, pi, name);
  });
}

/** The next card of this board then needs no confirmation. */
async function writeRack(command: SkoloCommand, pi: WaitingPi, name: string): Promise<void> {
  const { io } = command;
  const { parseRack } = await import('@skolo/rack');
  const file = await rackFile(command.globals());
  const text = await readFile(file, 'utf8');
  const machine = parseRack(text, { file }).machines.get(name);
  const { diff, left, text: after } = await editedRack(text, editsOf(pi, name, machine), file);
  for (const { edit, why } of left) {
    complain(
      io,
      plain(`${file}: not edited: ${why}; add ${edit.key}: "${edit.value}" for ${name}`),
    );
  }
  if (diff === '') return;
  await writeRackFile(file, text, after);
  printDiff(io, diff);
  io.err(`${file}: updated; run skolo push to apply the change`);
}

function editsOf(
  { serial, macs: [mac, ...others] }: WaitingPi,
  name: string,
  machine: Machine | undefined,
): RackEdit[] {
  const isOther =
    machine?.mac !== undefined && mac !== undefined && ![mac, ...others].includes(machine.mac);
  return [
    ...(machine?.serial === serial ? [] : [{ name, key: 'serial', value: serial } as const]),
    ...(isOther ? [{ name, key: 'mac', value: mac } as const] : []),
  ];
}
