/**
 * Decides whether a jumphost may switch outlets: not in its first two minutes, because another jumphost may start at the same time, and
 * never after another one has replaced it. The jumphost's guard writes that file into the state directory (`JumphostState`); without it,
 * the daemon does not run on a jumphost.
 */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseJson, pause } from '@skolo/base';
import type { Clock, DegradedList } from '@skolo/common';
import { CannotCycle } from '@skolo/equipment/models/outlets';
import { formatOutlet, type Rack } from '@skolo/rack';
import { JumphostState, jumphostStateFile } from '@skolo/rack/jumphost';

/** Since the computer's boot, not the start of this process. */
const settleSeconds = 120;
/** How long another holder of the address counts as degraded after it was last seen. */
const conflictSeconds = 900;

interface MaySwitchDeps {
  stateDir: string;
  clock: Pick<Clock, 'uptime'>;
}

/**
 * Undefined: outlets may be switched now. Otherwise fulfilled when it is time to ask again.
 *
 * @param equipment for the message
 * @throws CannotCycle (rejected) This jumphost is retired. @throws The signal's reason (rejected).
 */
export type MaySwitch = (equipment: string, signal: AbortSignal) => Promise<void> | undefined;

export function maySwitchOf({ stateDir, clock }: MaySwitchDeps): MaySwitch {
  return (equipment, signal) => {
    const state = readState(stateDir);
    if (state === undefined) return undefined;
    if (state.retiredBy !== null) {
      return Promise.reject(new CannotCycle(equipment, retiredText(state.retiredBy)));
    }
    const left = settleSeconds - clock.uptime();
    return left > 0 ? pause(Math.min(left, 1) * 1000, signal) : undefined;
  };
}

/**
 * Another computer that uses the address of the jumphost, with its name and port in rack.yaml, and the evidence that it is a jumphost of
 * this rack; empty: unknown, or none.
 */
export function addressHolder(
  { stateDir, clock }: MaySwitchDeps,
  { machines, equipment }: Pick<Rack, 'machines' | 'equipment'>,
): Record<'mac' | 'machine' | 'port' | 'evidence', string> | undefined {
  const { conflict } = readState(stateDir) ?? {};
  if (!conflict || clock.uptime() - conflict.uptime >= conflictSeconds) return undefined;
  const { mac, evidence = '' } = conflict;
  const found = [...machines.values(), ...equipment.values()].find((each) => each.mac === mac);
  const port = typeof found?.uplink === 'object' ? formatOutlet(found.uplink) : '';
  return { mac, machine: found?.name ?? '', port, evidence };
}

/** Reports the parts that concern people on `/readyz` and in metrics. */
export function reportJumphost(deps: MaySwitchDeps, rack: Rack, degraded: DegradedList): void {
  const { retiredBy } = readState(deps.stateDir) ?? {};
  const holder = addressHolder(deps, rack);
  degraded.set('retired', retiredBy ? retiredText(retiredBy) : undefined);
  const { mac, machine, port, evidence } = holder ?? {};
  const known = [machine, port].filter(Boolean).join(' at ');
  const advice = evidence
    ? `, and its ${evidence} proves that it is another jumphost of this rack, or relays to one; turn one of the jumphosts off`
    : '; disconnect it, or change its address';
  const text = `the computer with MAC address ${mac}${known && ` (${known})`} is using the address of the jumphost${advice}`;
  degraded.set('jumphost address', holder && text);
}

function retiredText({ epoch }: { epoch: number }): string {
  return `outlets are not switched, because another jumphost (epoch ${epoch}) has replaced this one`;
}

/** A damaged file only proves that this is a jumphost. */
function readState(stateDir: string): JumphostState | undefined {
  const file = join(stateDir, jumphostStateFile);
  if (!existsSync(file)) return undefined;
  const { data } = JumphostState.safeParse(parseJson(readFileSync(file, 'utf8')));
  return data ?? { retiredBy: null, conflict: null };
}
