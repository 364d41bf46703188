/** Runs `skolo jumphost replace` from this workstation. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { closing, errorText, parseJson, tempFolder } from '@skolo/base';
import { formatOutlet, type Rack } from '@skolo/rack';
import { rackForDaemonOn } from '@skolo/rack/edit';
import { signStatement } from '@skolo/rack/jumphost';
import { secretPlace } from '@skolo/rack/secrets';
import { type Host, isPrepared, type Step, type StepProgress } from '@skolo/setup/engine';
import {
  afterSwapSteps,
  cableFence,
  closeDisk,
  type Fence,
  findState,
  powerFence,
  rehearsalSteps,
  removeCopy,
  type StateCopy,
  stopSpareDaemon,
  subnetOf,
  swapSteps,
  type TakeOver,
  tookOver,
} from '@skolo/setup/jumphost';
import { z } from 'zod';
import type { SkoloCommand } from '../../../command.ts';
import { CliError, exitCodes } from '../../../errors.ts';
import type { Io } from '../../../io.ts';
import { mustType } from '../../../must-type.ts';
import { plain } from '../../../output/text.ts';
import { duration } from '../../../output/time.ts';
import { interruptible } from '../../../reach/racks.ts';
import { type OpenSecrets, openSecrets, readBackupKey } from '../../secrets/open-secrets.ts';
import { guardOf, openSteps, type PrepareOptions } from '../steps/open-steps.ts';
import { stepRunner } from '../steps/run-steps.ts';
import { readRackKey } from '../steps/secrets-part.ts';
import { printSteps } from '../steps/steps-text.ts';
import { exchangeInRack, noteEpoch } from './exchange.ts';
import { printParts } from './parts-text.ts';
import { startPowerOn, wayTo } from './spare-power.ts';
import { type CopyOptions, readCopy } from './state-copy.ts';

export interface ReplaceOptions extends PrepareOptions, CopyOptions {
  with: string;
  rehearse?: true;
  /** True: finds the address. */
  disk?: string | true;
  newCluster?: true;
  cableIsOut?: true;
  reason: string;
}

/** The new jumphost's record of the replacement. */
const About = z.object({
  spare: z.string(),
  address: z.string(),
  copied: z.string(),
  /** What feeds it. */
  power: z.array(z.string()),
  /** Of its statement. */
  epoch: z.int(),
});
type About = z.output<typeof About>;

interface Replacement {
  command: SkoloCommand;
  name: string;
  options: ReplaceOptions;
  open: OpenSecrets;
  began: number;
}

/** @throws CliError It stopped, and can be run again. */
export async function replaceJumphost(
  command: SkoloCommand,
  name: string,
  options: ReplaceOptions,
): Promise<void> {
  const open = await openSecrets(command, name);
  const replacement = { command, name, options, open, began: performance.now() };
  const before = options.rehearse ? undefined : await whoTookOver(replacement);
  if (before?.spare === options.with) return await finish(replacement, before);
  const spare = spareOf(open.rack, options.with);
  const { jumphost } = open.rack;
  const key = await interruptible(command, (signal) => readRackKey(open, signal));
  const claim = { rack: open.rack.name, epoch: nextEpoch(replacement) };
  const takeOver: TakeOver = {
    jumphost,
    spare,
    subnet: subnetOf(open.rack),
    sign: (machine) => signStatement({ ...claim, machine }, key.reveal()),
  };
  const about = await swap(replacement, takeOver, claim.epoch);
  if (about !== undefined) await finish(replacement, about);
}

/** Higher than the previous epoch, even if that workstation's clock was ahead. */
function nextEpoch({ command, open }: Replacement): number {
  return Math.max(Math.floor(command.io.now() / 1000), (open.fleetRack.epoch ?? 0) + 1);
}

function spareOf({ machines, name: rack }: Rack, name: string): { name: string; address: string } {
  const address = machines.get(name)?.address;
  if (address !== undefined) return { name, address };
  const why = machines.has(name) ? 'has no address' : 'is not a machine';
  throw new CliError(
    `${name}: ${why} in the rack.yaml of ${rack}; add the spare to that file, with its address and wiring`,
  );
}

/** Only to see whether the jumphost responds. */
const lookMs = 20_000;

/** Undefined: the jumphost does not respond, or is still the old one. */
async function whoTookOver({ command, options, open }: Replacement): Promise<About | undefined> {
  const { fleetRack } = open;
  return await interruptible(command, async (signal) => {
    const soon = AbortSignal.any([signal, AbortSignal.timeout(lookMs)]);
    const { newSession } = guardOf(command, fleetRack, options, signal);
    await using session = await newSession(soon).then(closing, () => undefined);
    signal.throwIfAborted();
    if (session === undefined) return undefined;
    return About.safeParse(parseJson((await session.read(tookOver)) ?? '')).data;
  });
}

/** Everything that is done before the spare becomes the jumphost. Undefined: it was a rehearsal, or failed. */
async function swap(
  replacement: Replacement,
  takeOver: TakeOver,
  epoch: number,
): Promise<About | undefined> {
  const { command, name, options, open, began } = replacement;
  const { io } = command;
  const { rack, fleetRack } = open;
  const { spare } = takeOver;
  const runner = stepRunner(io);
  const ways = [wayTo(fleetRack, spare.name)];
  return await interruptible(command, async (signal) => {
    const { report } = runner;
    const { host, steps } = await openSteps(command, name, options, { signal, report, ways });
    const cluster = options.newCluster
      ? 'new'
      : { token: await open.store.read(secretPlace(rack, 'k3s-token'), signal) };
    const stages: StepProgress[] = [];
    async function pass(next: readonly Step[], isCheck = false): Promise<boolean> {
      const ended = await runner.run(host, next, { isCheck, signal });
      stages.push(...ended);
      return isPrepared(ended);
    }
    // The directory contains the cluster's secrets in plain text.
    await using folder = await tempFolder('skolo-jumphost-');
    let copy: StateCopy;
    try {
      const backupKey = await readBackupKey(io, rack, signal);
      copy = await readCopy(command, rack, host, { ...options, backupKey, folder: folder.path });
      if (!(await pass(rehearsalSteps({ takeOver, steps, copy, cluster })))) {
        return await failed(replacement, stages);
      }
    } finally {
      if (options.disk !== undefined) await closeDisk(host);
    }
    const found = await findState(host, copy);
    const { fence, end } = await fenceOf(replacement, spare.name, host, signal);
    if (options.rehearse) {
      await pass([fence.step], true).finally(end);
      await removeCopy(host);
      printSteps(io, stages);
      printParts(io, found, io.now());
      io.out(
        `rehearsal finished in ${duration((performance.now() - began) / 1000)}; packages and programs were installed on the spare, but nothing else was changed`,
      );
      if (stages.some(({ state }) => state === 'failed')) io.exitCode = exitCodes.failed;
      return undefined;
    }
    if (!(await pass([fence.step]).finally(end))) return await failed(replacement, stages);
    const power = (rack.machines.get(spare.name)?.power ?? []).map(formatOutlet);
    const { name: by, address } = spare;
    const about: About = { spare: by, address, copied: copy.time, power, epoch };
    const guard = guardOf(command, fleetRack, options, signal);
    if (
      !(await pass(swapSteps({ copy, takeOver, cluster, fenced: fence.evidence(), guard, about })))
    ) {
      return await failed(replacement, stages);
    }
    printSteps(io, stages);
    printParts(io, found, io.now());
    return about;
  });
}

async function failed(
  { command, name }: Replacement,
  steps: readonly StepProgress[],
): Promise<undefined> {
  printSteps(command.io, steps);
  command.io.err(`${name}: stopped; run the same command again to continue`);
  command.io.exitCode = exitCodes.failed;
}

interface OpenFence {
  fence: Fence;
  end(): Promise<void>;
}

async function fenceOf(
  { command, name, options, open }: Replacement,
  spare: string,
  host: Host,
  signal: AbortSignal,
): Promise<OpenFence> {
  const { io } = command;
  const { rack, fleetRack, store } = open;
  const { jumphost } = rack;
  const { cableIsOut, reason, rehearse } = options;
  if (cableIsOut) {
    if (!rehearse) await confirmCable(io, jumphost.name, signal);
    return { fence: cableFence(jumphost.name, !rehearse), end: async () => {} };
  }
  if (jumphost.power.length === 0) {
    throw new CliError(
      `${name}: rack.yaml does not list the outlets of ${jumphost.name}, so skolo cannot confirm that it is off; run the command with --cable-is-out, and unplug its network cables when prompted`,
    );
  }
  const file = join(fleetRack.overlay, 'rack.yaml');
  const seen = rackForDaemonOn(await readFile(file, 'utf8'), spare, file);
  const why = `${spare} replaces ${jumphost.name}: ${reason}`;
  let started: ReturnType<typeof startPowerOn> | undefined;
  const power = async () => {
    started ??= startPowerOn(command, { fleetRack, store }, { seen, via: spare, why });
    return (await started).client;
  };
  const outlets = jumphost.power.map(formatOutlet);
  return {
    fence: powerFence({ jumphost: jumphost.name, outlets, power, reason: why, signal }),
    async end() {
      if (started !== undefined)
        await stopSpareDaemon(host).catch((error: unknown) => io.err(plain(errorText(error))));
    },
  };
}

async function confirmCable(io: Io, jumphost: string, signal: AbortSignal): Promise<void> {
  io.err(
    `Unplug all network cables of ${jumphost}; otherwise, two jumphosts would switch the same outlets.`,
  );
  const what = `${jumphost} once its cables are unplugged`;
  const otherwise = `not confirmed; ${jumphost} was not replaced`;
  await mustType(io, { what, wanted: jumphost, otherwise }, signal);
}

/** Everything that is done once the spare is reachable as the jumphost. */
async function finish(replacement: Replacement, about: About): Promise<void> {
  const { command, name, options, open, began } = replacement;
  const { io } = command;
  const runner = stepRunner(io);
  await interruptible(command, async (signal) => {
    const { report } = runner;
    for (const line of await noteEpoch(command, name, about.epoch, signal)) io.out(plain(line));
    // An interrupted run may already have done it.
    if (!isExchanged(open.rack, about)) {
      const lines = await exchangeInRack(command, open.fleetRack.overlay, about.spare, signal);
      for (const line of lines) io.out(plain(line));
    }
    const { host, steps } = await openSteps(command, name, options, { signal, report });
    const all = afterSwapSteps(open.rack.jumphost.name, steps);
    const done = await runner.run(host, all, { isCheck: false, signal });
    if (!isPrepared(done)) return await failed(replacement, done);
    printSteps(io, done);
    await removeCopy(host);
    io.out(
      `${name}: ${about.spare} became the jumphost in ${duration((performance.now() - began) / 1000)}; its state is from ${about.copied}`,
    );
    io.out(
      `next: run skolo backup status --on ${name}; if the history is missing, run skolo backup restore-history --on ${name} --from PLACE --reason WHY`,
    );
    return undefined;
  });
}

/** Whether rack.yaml already has the spare's wiring at the jumphost. */
function isExchanged({ jumphost }: Rack, { power }: About): boolean {
  return power.length === 0 || jumphost.power.map(formatOutlet).join() === power.join();
}
