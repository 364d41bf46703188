/** Decides what Swarming learns of the machine's health: the bot's state with `quarantined` or `maintenance`, and its devices. */
import type { MachinePart } from '@skolo/rack/machine-part';
import type { DeviceView, Dimensions } from '../devices/device.ts';
import { cutText } from '../dimensions.ts';
import { type Health, healthText, type Reason, type Verdict, verdicts } from '../health/health.ts';

/** What the bot sent: JSON, otherwise unknown. */
export type Given = Readonly<Record<string, unknown>>;

/** Everything that an answer is made from, as of now. */
export interface AgentView {
  /** Also the bot's ID. */
  machine: string;
  /** Undefined: not known yet; see `whyUnknown`. */
  machinePart: MachinePart | undefined;
  /** Why the machine's part of rack.yaml is not known, for people. */
  whyUnknown?: string | undefined;
  devices: readonly DeviceView[];
  /** The machine's own; used if no device is attached. */
  host: Dimensions;
  health: Health;
  /** Whether a bot may run; absent: it may. */
  hasBot?: boolean;
  version: string;
}

/**
 * Contains all given keys (the bot's own disk check reads `disks` from here), except `quarantined` and `maintenance`: those are ours, as
 * text or absent, because Swarming checks whether they are present.
 *
 * `devices` is by serial, or by name if several have the same one, with `state`, `battery.level` and `temp`, as Swarming's own pages show it
 * (luci-go, swarming/server/ui2/modules/bot-list/bot-list-helpers.js).
 */
export function stateFor(given: Given, view: AgentView): Given {
  const { quarantined: _, maintenance: __, ...kept } = given;
  const { quarantined, maintenance } = noTasks(view);
  const counts = Map.groupBy(view.devices, keyOf);
  const devices = view.devices.map((device) => {
    const isOnly = counts.get(keyOf(device))?.length === 1;
    return [isOnly ? keyOf(device) : device.name, factsOf(device)] as const;
  });
  return {
    ...kept,
    ...(view.machinePart && { sk_rack: view.machinePart.rack }),
    ...(devices.length > 0 && { devices: Object.fromEntries(devices) }),
    quarantined,
    maintenance,
  };
}

function keyOf({ name, reading }: DeviceView): string {
  return reading?.serial || name;
}

const stateOf = { present: 'available', missing: 'missing', unknown: 'unknown' } as const;

function factsOf(view: DeviceView): Given {
  const { name, kind, state, since, readAt, why, reading, batteryAt, heatAt } = view;
  const level = reading?.batteryPercent;
  return {
    name,
    kind,
    state: stateOf[state],
    since: since.toISOString(),
    read_at: readAt?.toISOString(),
    why,
    temp: reading?.temperatures,
    temp_at: heatAt?.toISOString(),
    battery: level === undefined ? undefined : { level, at: batteryAt?.toISOString() },
    thermal_status: reading?.thermalStatus,
    uptime: reading?.uptimeSeconds,
  };
}

/** Why the bot may take no tasks now, for Swarming. Texts are never empty; undefined: no such reason. */
interface NoTasks {
  verdict: Verdict;
  /** An operator is required, and Swarming alerts. */
  quarantined: string | undefined;
  /** It ends by itself, or is intentional. */
  maintenance: string | undefined;
}

/** Enough for people; the state is sent with every poll. */
const mostBytes = 1000;

export function noTasks(view: AgentView): NoTasks {
  const { health } = view;
  const unknown = notKnown(view);
  const verdict = worse(health.verdict, unknown === undefined ? 'ok' : 'maintenance');
  const hard = textOf(view, (reason) => reason.verdict === 'quarantined');
  const soft = textOf(view, (reason) => reason.verdict !== 'quarantined');
  const quarantined = hard || (verdict === 'quarantined' ? 'quarantined; no reason given' : '');
  // Before the first reading the bot takes no tasks, even if health has not been reassessed yet.
  const isReported = health.reasons.some(({ code }) => code === 'not-known');
  const passes = isReported ? soft : [unknown, soft].filter(Boolean).join('; ');
  const isSilent = passes === '' && (verdict === 'recovering' || verdict === 'maintenance');
  const maintenance = isSilent ? `${verdict}; no reason given` : passes;
  return {
    verdict,
    quarantined: cutText(quarantined, mostBytes) || undefined,
    maintenance: cutText(maintenance, mostBytes) || undefined,
  };
}

/** Before the first reading, devices are unknown, not missing. */
function notKnown({ machinePart, whyUnknown, devices }: AgentView): string | undefined {
  if (machinePart === undefined) {
    const what = `this machine's entry in rack.yaml is not known yet`;
    return whyUnknown ? `${what}: ${whyUnknown}` : what;
  }
  const unread = devices
    .filter(({ state, code }) => state === 'unknown' && code === undefined)
    .map(({ name }) => name);
  return unread.length === 0 ? undefined : `the state of ${unread.join(', ')} is not known yet`;
}

function textOf({ health }: AgentView, which: (reason: Reason) => boolean): string {
  return healthText({ ...health, reasons: health.reasons.filter(which) }).trim();
}

function worse(a: Verdict, b: Verdict): Verdict {
  return verdicts.indexOf(a) < verdicts.indexOf(b) ? b : a;
}
