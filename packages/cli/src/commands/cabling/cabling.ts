import { readFile } from 'node:fs/promises';
import { count, errorText, pause } from '@skolo/base';
import type { Rack } from '@skolo/rack';
import type { SkoloCommand } from '../../command.ts';
import { CliError, complain, exitCodes } from '../../errors.ts';
import { type Io, printJson } from '../../io.ts';
import { folded } from '../../names.ts';
import { type Column, printTable } from '../../output/table.ts';
import { plain } from '../../output/text.ts';
import { powerCycleDaemon, routerBackup, wayOn } from '../../reach/service-client.ts';
import { editedRack, writeRackFile } from '../../workstation/rack-edits.ts';
import { rackFile } from '../../workstation/rack-file.ts';
import { printDiff } from '../backup/diff.ts';
import type { CablingAudit, Finding } from './compare.ts';
import type { ProofDeps, Proofs } from './prove.ts';
import type { UsbProofDeps, UsbProofs } from './prove-usb.ts';
import { type Readings, readConnectedHosts, unreadLines } from './readings.ts';

/** Interval for polling a cycle. */
const lookMs = 1000;

interface Options {
  write?: true;
  prove?: true;
  json?: true;
}

/** `skolo cabling`: compares rack.yaml with what switches and routers see. */
export function define(command: SkoloCommand): void {
  command
    .description(
      "Compares rack.yaml with the MAC tables of switches, and with the addresses and leases on routers. The audit finds moved cables, unknown machines, dead ports, and wrong addresses and outlets, and suggests an edit or a check for each. A port with several MAC addresses usually leads to other switches, so it is never suggested as a machine's uplink. Exit codes: 0 everything matches rack.yaml, or --write fixed it; 1 there are differences; 3 a device could not be read.",
    )
    .summary('compare the cabling with rack.yaml')
    .rackArgument('[rack]', 'rack to reach through its jumphost, as with --on')
    .option(
      '--prove',
      "verify new outlets by power-cycling idle machines one by one: if only the machine's own link goes down, the outlet is correct. On machines with several phones, USB ports are verified in the same way",
    )
    .option('--write', 'write the edits to rack.yaml')
    .option('--json', 'print JSON')
    .uses('rack', 'tokenFile')
    .example('skolo cabling rack4');

  command.action(async (_rack: string | undefined, options: Options) => {
    const { io } = command;
    const [{ parseRack }, { compare }, { possibleEdits }] = await Promise.all([
      import('@skolo/rack'),
      import('./compare.ts'),
      import('./possible-edits.ts'),
    ]);
    const file = await rackFile(command.globals());
    const text = await readFile(file, 'utf8');
    const rack = parseRack(text, { file });
    const readings = await readConnectedHosts(rack, routerBackup(command));
    const audit = compare(rack, readings.read);
    if (!options.json) print(io, rack.name, audit, readings);
    const { verified, doubt, usb } = options.prove
      ? await proofs(command, rack, audit.findings)
      : { verified: new Set<string>(), usb: { edits: [], doubts: [] } };
    const { edits, blocked } = possibleEdits(rack, audit.findings, verified);
    const edited = await editedRack(text, [...edits, ...usb.edits], file);
    const byHand = [
      ...blocked,
      ...edited.left.map(({ edit, why }) => ({
        name: edit.name,
        why: `${edit.key}: ${edit.value}: ${why}`,
      })),
    ];
    const isWritten = options.write === true && edited.diff !== '';
    if (isWritten) await writeRackFile(file, text, edited.text);
    if (options.json) {
      const { unread, unreadable } = readings;
      const found = { ...audit, verified: [...verified], doubt, usb, diff: edited.diff, byHand };
      const lines = readings.read.flatMap(({ device, unread: all = [] }) =>
        all.map((each) => ({ device, ...each })),
      );
      printJson(io, { ...found, unread, unreadable, unreadLines: lines });
    } else {
      for (const { name, why } of byHand) io.err(plain(`${name}: not edited: ${why}`));
      if (edited.diff !== '') printDiff(io, edited.diff);
      if (isWritten) io.err(`${file}: written`);
    }
    const isCorrected = ({ name, edits: own, power }: Finding) =>
      isWritten &&
      (own.length > 0 || power !== undefined) &&
      (power === undefined || verified.has(name)) &&
      byHand.every((each) => each.name !== name);
    const isVerified = usb.doubts.length === 0 && (isWritten || usb.edits.length === 0);
    if (!audit.findings.every(isCorrected) || !isVerified) io.exitCode = exitCodes.failed;
    if (readings.unread.length > 0) io.exitCode = exitCodes.partlyFailed;
  });
}

/** For outlets that move with a cable, and for USB ports. Reports progress on standard error. */
async function proofs(
  command: SkoloCommand,
  rack: Rack,
  findings: readonly Finding[],
): Promise<Proofs & { usb: UsbProofs }> {
  const { io } = command;
  const [{ prove }, { proveUsb }, { agentClient }, { serviceUrl }] = await Promise.all([
    import('./prove.ts'),
    import('./prove-usb.ts'),
    import('../../reach/agents.ts'),
    import('@skolo/rack/light'),
  ]);
  async function status(name: string) {
    const machine = rack.machines.get(name);
    if (machine === undefined) throw new CliError(`${name} is not a machine`);
    const url = serviceUrl(rack, 'swarming-client', machine);
    const options = { timeoutMs: 5000, answers: 'status', rack: rack.name } as const;
    return await agentClient(url, { ...options, ...(await wayOn(command)) }).status();
  }
  const deps: ProofDeps & UsbProofDeps = {
    rack,
    daemon: powerCycleDaemon(command),
    backup: routerBackup(command),
    async whyBusy(name) {
      if (!rack.machines.has(name)) return 'is not a machine';
      try {
        const { task } = await status(name);
        return task.running ? 'is running a task' : undefined;
      } catch (error) {
        return `does not report whether it is idle: ${errorText(error)}`;
      }
    },
    pause: () => pause(lookMs),
    now: () => performance.now(),
    devices: async (name) => (await status(name)).devices,
    say: (text) => io.err(plain(text)),
  };
  const result = await prove(findings, deps);
  // Stops at the first doubt.
  const usb = result.doubt === undefined ? await proveUsb(deps) : { edits: [], doubts: [] };
  for (const doubt of [result.doubt ?? [], usb.doubts].flat()) complain(io, doubt);
  return { ...result, usb };
}

function print(
  io: Io,
  rack: string,
  audit: CablingAudit,
  { read, unread, unreadable }: Readings,
): void {
  const { findings, confirmed, unseen } = audit;
  const from = read.length === 0 ? 'nothing' : folded(read.map(({ device }) => device));
  const said = `${confirmed.length} ${confirmed.length === 1 ? 'matches' : 'match'} rack.yaml, ${count(findings.length, 'finding')}`;
  io.out(`${rack}: read ${from}; ${said}`);
  if (unseen.length > 0) io.out(`not detected (off or silent): ${folded(unseen)}`);
  if (findings.length > 0) {
    io.out('');
    printTable(io, columns, findings);
    for (const { name, advice } of findings) {
      if (advice !== undefined) io.out(plain(`${name}: ${advice}`));
    }
  }
  for (const reading of read) {
    for (const what of unreadLines(reading)) io.err(plain(`${reading.device}: ${what}`));
  }
  for (const { device, why } of [...unreadable, ...unread])
    io.err(plain(`${device}: not read: ${why}`));
}

const columns: Column<Finding>[] = [
  { title: 'FINDING', cell: ({ kind }) => kind.replace('-', ' '), style: () => 'yellow' },
  { title: 'NAME', cell: ({ name }) => name, shrinkTo: 16 },
  { title: 'SEEN', cell: ({ what }) => plain(what), shrinkTo: 20 },
  {
    title: 'EDIT',
    cell: ({ edits, power }) => {
      const own = edits.map(({ key, value }) => `${key}: ${value}`).join('; ');
      const feed = power ? `power: ${power.edit.value} with --prove` : '';
      return [own, feed].filter(Boolean).join('; ') || undefined;
    },
  },
];
