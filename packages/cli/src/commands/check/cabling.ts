/** `skolo check cabling` and `skolo check outlets`: compare rack.yaml with what switches and routers see. */
import { readFile } from 'node:fs/promises';
import { errorText, type Finding, pause } from '@skolo/base';
import type { Rack } from '@skolo/rack';
import type { SkoloCommand } from '../../command.ts';
import { CliError } from '../../errors.ts';
import { plain } from '../../output/text.ts';
import { powerCycleDaemon, routerBackup, wayOn } from '../../reach/service-client.ts';
import { editedRack, writeRackFile } from '../../workstation/rack-edits.ts';
import { rackFile } from '../../workstation/rack-file.ts';
import { printDiff } from '../backup/diff.ts';
import type { CableFinding, CablingAudit } from './cabling/compare.ts';
import type { ProofDeps, Proofs } from './cabling/prove.ts';
import type { UsbProofDeps, UsbProofs } from './cabling/prove-usb.ts';
import { readAllHosts } from './cabling/readings.ts';
import { type CheckResult, defineCheck } from './check.ts';

/** Interval for polling a cycle. */
const lookMs = 1000;

interface Options {
  write?: true;
  json?: true;
}

export function cabling(command: SkoloCommand): void {
  command
    .description(
      "Compares rack.yaml with the MAC tables of switches, and with the addresses and leases on routers. The check finds moved cables, unknown machines, dead ports, and wrong addresses and outlets, and suggests an edit or a check for each. A port with several MAC addresses usually leads to other switches, so it is never suggested as a machine's uplink.",
    )
    .summary('compare the cabling with rack.yaml')
    .example('skolo check cabling rack4');
  define(command, false);
}

export function outlets(command: SkoloCommand): void {
  command
    .description(
      "Like skolo check cabling, and verifies outlets that moved with a cable by power-cycling idle machines one by one: if only the machine's own link goes down, the outlet is correct. On machines with several phones, USB ports are verified in the same way.",
    )
    .summary('verify new outlets by power-cycling idle machines')
    .example('skolo check outlets rack4 --write');
  define(command, true);
}

function define(command: SkoloCommand, isVerifying: boolean): void {
  command
    .rackArgument('[rack]', 'rack to reach through its jumphost, as with --on')
    .option('--write', 'write the edits to rack.yaml')
    .uses('rack', 'tokenFile');
  defineCheck(command, (_signal, _rack: string | undefined, options: Options) =>
    check(command, options, isVerifying),
  );
}

async function check(
  command: SkoloCommand,
  { write, json }: Options,
  isVerifying: boolean,
): Promise<CheckResult> {
  const { io } = command;
  const [{ parseRack }, { compare, withEdits }, { possibleEdits }] = await Promise.all([
    import('@skolo/rack'),
    import('./cabling/compare.ts'),
    import('./cabling/possible-edits.ts'),
  ]);
  const file = await rackFile(command.globals());
  const text = await readFile(file, 'utf8');
  const rack = parseRack(text, { file });
  const readings = await readAllHosts(rack, routerBackup(command));
  const audit = compare(rack, readings.read);
  const { verified, doubt, usb } = isVerifying
    ? await proofs(command, rack, audit.findings)
    : { verified: new Set<string>(), usb: { edits: [], doubts: [] } };
  const { edits, blocked } = possibleEdits(rack, audit.findings, verified);
  const { left, diff, text: edited } = await editedRack(text, [...edits, ...usb.edits], file);
  const byHand = [
    ...blocked,
    ...left.map(({ edit: { name, key, value }, why }) => ({
      name,
      why: `${key}: ${value}: ${why}`,
    })),
  ];
  const isWritten = write === true && diff !== '';
  if (isWritten) await writeRackFile(file, text, edited);
  if (!json && diff !== '') printDiff(io, diff);
  const isCorrected = ({ thing, edits: own, power }: CableFinding) =>
    isWritten &&
    (own.length > 0 || power !== undefined) &&
    (power === undefined || verified.has(thing)) &&
    byHand.every((each) => each.name !== thing);
  const corrected = { state: 'ok', advice: `corrected in ${file}` } as const;
  return {
    name: rack.name,
    findings: [
      ...audit.findings.map((each) =>
        isCorrected(each) ? { ...each, ...corrected } : withEdits(each, verified),
      ),
      ...byHand.map(
        ({ name: thing, why }): Finding => ({ thing, state: 'info', found: `not edited: ${why}` }),
      ),
      ...usb.edits.map(({ name, device, key, value }): Finding => {
        const found = { thing: `${name}-${device}`, found: `${key} is not set` };
        return isWritten
          ? { ...found, ...corrected }
          : { ...found, state: 'differs', advice: `set \`${key}: ${value}\`` };
      }),
      ...[doubt ?? [], usb.doubts]
        .flat()
        .map((found): Finding => ({ thing: 'outlets', state: 'unchecked', found })),
      ...unseen(audit),
      ...readings.findings,
    ],
    details: { confirmed: audit.confirmed, verified: [...verified], diff },
  };
}

function unseen({ confirmed, unseen: where }: CablingAudit): Finding[] {
  const found = 'not detected, because they are off or silent';
  return [
    ...confirmed.map((thing): Finding => ({ thing, state: 'ok', found: '' })),
    ...(where.length > 0 ? [{ thing: 'machines', where, state: 'skipped', found } as const] : []),
  ];
}

/** For outlets that move with a cable, and for USB ports. Reports progress on standard error. */
async function proofs(
  command: SkoloCommand,
  rack: Rack,
  findings: readonly CableFinding[],
): Promise<Proofs & { usb: UsbProofs }> {
  const { io } = command;
  const [{ prove }, { proveUsb }, { agentClient }, { serviceUrl }] = await Promise.all([
    import('./cabling/prove.ts'),
    import('./cabling/prove-usb.ts'),
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
  return { ...result, usb };
}
