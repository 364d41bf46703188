/**
 * Decides whether a USB hub's port is the one that its phone hangs on, and can be switched individually: one port is turned off through the
 * power-cycle daemon. Its phone must report that it lost power, and the machine's other devices must not. Tries each port of idle machines.
 */
import type { DeviceStatus } from '@skolo/api';
import { type AttachedDevice, formatUsbPort, type Machine } from '@skolo/rack';
import type { RackEdit } from '@skolo/rack/edit';
import {
  bootMs,
  checkIdle,
  cycleMs,
  cycleOf,
  Doubt,
  isDoubt,
  type ProofDeps,
  requestCycle,
  until,
} from './prove.ts';

export interface UsbProofDeps
  extends Pick<ProofDeps, 'rack' | 'daemon' | 'whyBusy' | 'pause' | 'now' | 'say'> {
  /** As reported by a machine's agent. */
  devices(machine: string): Promise<readonly DeviceStatus[]>;
}

export interface UsbProofs {
  /** Verified ports. */
  edits: RackEdit[];
  /** Why the others were not verified. */
  doubts: string[];
}

/** Tries each unverified port whose machine has another device: a machine with one device cannot show whether the whole hub is switched. */
export async function proveUsb(deps: UsbProofDeps): Promise<UsbProofs> {
  const { edits, doubts }: UsbProofs = { edits: [], doubts: [] };
  for (const machine of deps.rack.machines.values()) {
    for (const device of machine.devices.length > 1 ? machine.devices : []) {
      const { power, name, fullName } = device;
      if (power === undefined || !('hub' in power) || device.powerVerified) continue;
      const port = `${fullName}: ${formatUsbPort(power)}`;
      try {
        await proveOne(machine, device, deps);
        edits.push({ name: machine.name, device: name, key: 'powerVerified', value: 'true' });
        deps.say(`${port}: verified: the port powers only this phone`);
      } catch (error) {
        if (!isDoubt(error)) throw error;
        doubts.push(`${port}: not verified: ${error.message}`);
      }
    }
  }
  return { edits, doubts };
}

async function proveOne(
  machine: Machine,
  { name, fullName }: AttachedDevice,
  deps: UsbProofDeps,
): Promise<void> {
  await checkIdle(machine.name, deps);
  const before = await deps.devices(machine.name);
  const tells = ({ name: each }: AttachedDevice) =>
    before.some((one) => one.name === each && isThere(one) && one.connectedSeconds !== undefined);
  const silent = machine.devices.find((each) => !tells(each));
  if (silent !== undefined) {
    const isPresent = before.some((each) => each.name === silent.name && isThere(each));
    const why = isPresent
      ? 'does not report how long it has been connected (this requires Android 8 or later, and USB-C)'
      : 'is not reported as present';
    throw new Doubt(`${silent.fullName} ${why}, so skolo cannot detect whether it loses power`);
  }
  deps.say(`${fullName}: power-cycling only its port`);
  const start = deps.now();
  const reason = 'cabling audit: checking whether this USB port can be switched separately';
  const id = await requestCycle(fullName, { reason, alone: true }, deps);
  let cycle = await cycleOf(id, deps);
  await until(cycleMs, 'the power cycle did not finish', deps, async () => {
    cycle = await cycleOf(id, deps);
    return cycle.outcome !== undefined;
  });
  const lost = await lostPower(machine.name, before, start, deps);
  const others = lost.filter((each) => each !== name).map((each) => `${machine.name}-${each}`);
  if (others.length > 0) throw new Doubt(`${others.join(' and ')} also stopped charging`);
  // The daemon only reports this if the phone itself has confirmed it.
  if (cycle.outcome === 'back') return;
  const isUncut = cycle.failedStep === 'turn-off' && lost.length === 0;
  const what = isUncut ? 'nothing stopped charging' : 'the power cycle ended unexpectedly';
  throw new Doubt(`${what} (${cycle.outcome}: ${cycle.detail})`);
}

/** Devices whose connection is newer than the cycle, after each was read again. */
async function lostPower(
  machine: string,
  devices: readonly DeviceStatus[],
  start: number,
  deps: UsbProofDeps,
): Promise<string[]> {
  const first = await deps.devices(machine);
  const isOld = ({ name, readAt }: DeviceStatus) =>
    first.some((each) => each.name === name && each.readAt === readAt);
  let now = first;
  await until(bootMs, "some of the machine's devices have not reappeared", deps, async () => {
    now = await deps.devices(machine);
    return devices.every(({ name }) =>
      now.some((each) => each.name === name && isThere(each) && !isOld(each)),
    );
  });
  const seconds = (deps.now() - start) / 1000;
  return now
    .filter(({ connectedSeconds = 0 }) => connectedSeconds < seconds)
    .map(({ name }) => name);
}

function isThere({ state }: DeviceStatus): boolean {
  return state === 'present';
}
