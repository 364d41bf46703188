import { readFile } from 'node:fs/promises';
import type { Machine } from '@skolo/rack';
import type { RackEdit } from '@skolo/rack/edit';
import { didYouMean } from '@skolo/rack/light';
import { InvalidArgumentError } from 'commander';
import type { SkoloCommand } from '../../command.ts';
import { CliError } from '../../errors.ts';
import { plain } from '../../output/text.ts';
import { editedRack, writeRackFile } from '../../workstation/rack-edits.ts';
import { rackFile } from '../../workstation/rack-file.ts';
import { printDiff } from '../backup/diff.ts';

interface Options {
  mac?: string;
  serial?: string;
  device?: string;
}

/** `skolo machine replace`: gives a new Pi or phone the name of the one that it replaces. */
export function define(command: SkoloCommand): void {
  command
    .description(
      "Replaces a Pi's MAC address or a phone's serial number in rack.yaml. The machine keeps its name, wiring and history, and the file keeps its comments and ranges. If an edit is not possible, nothing is written. To apply the changes, run skolo push.",
    )
    .summary('replace a Pi or phone and keep its name')
    .argument('<name>', 'machine name')
    .option('--mac <address>', 'MAC address of the new Pi', macAddress)
    .option('--serial <number>', "the new phone's serial number or UDID", serialNumber)
    .option('--device <name>', 'name of the phone, such as left, if the machine has several')
    .uses('rack')
    .example('skolo machine replace skia-rpi2-rack4-shelf1-007 --mac dc:a6:32:00:00:07');

  command.action(async (name: string, options: Options) => {
    const { io } = command;
    const { mac, serial } = options;
    if (mac === undefined && serial === undefined) command.error("specify '--mac' or '--serial'");
    const { parseRack } = await import('@skolo/rack');
    const file = await rackFile(command.globals());
    const text = await readFile(file, 'utf8');
    const { machines } = parseRack(text, { file });
    const machine = machines.get(name);
    if (machine === undefined) {
      throw new CliError(
        `${name}: no such machine in rack.yaml${didYouMean(name, machines.keys())}`,
      );
    }
    const edits: RackEdit[] = [
      ...(mac === undefined ? [] : [{ name, key: 'mac', value: mac } as const]),
      ...(serial === undefined
        ? []
        : [{ name, key: 'serial', device: deviceOf(machine, options), value: serial } as const]),
    ];
    const edited = await editedRack(text, edits, file);
    for (const { edit, why } of edited.left) {
      io.err(plain(`${name}: not edited: ${edit.key}: ${edit.value}: ${why}`));
    }
    if (edited.left.length > 0) throw new CliError('nothing was written; edit rack.yaml manually');
    if (edited.diff === '') return io.err(`${file} already contains these values`);
    await writeRackFile(file, text, edited.text);
    printDiff(io, edited.diff);
    io.err(`${file}: written`);
    if (mac !== undefined)
      io.err(`to join the cluster with a new SD card, run skolo machine join ${name}`);
    return io.err(
      `to add this to the machine's history, run skolo machine note ${name} 'replaced, because …'`,
    );
  });
}

/** @throws CliError It has none with that name, or several and no name was given. */
function deviceOf({ name, devices }: Machine, { device }: Options): string {
  const [first, second] = devices.filter((each) => each.name === (device ?? each.name));
  if (first !== undefined && second === undefined) return first.name;
  const names = devices.map((each) => each.name).join(', ') || 'none';
  const what =
    second === undefined ? 'has no such phone' : 'has several phones; specify one with --device';
  throw new CliError(`${name}: ${what}; its phones: ${names}`);
}

function macAddress(text: string): string {
  const digits = text.toLowerCase().replaceAll(/[:.-]/g, '');
  if (/^[\da-f]{12}$/.test(digits)) return digits.replaceAll(/(..)(?=.)/g, '$1:');
  throw new InvalidArgumentError('expected twelve hexadecimal digits, such as dc:a6:32:00:00:07');
}

function serialNumber(text: string): string {
  if (/^[\w.:-]{1,100}$/.test(text)) return text;
  throw new InvalidArgumentError('expected letters, digits and . : - _');
}
