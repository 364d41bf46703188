/** Lists what to back up: the switches, routers and PDUs in rack.yaml, and the jumphost. */
import { HttpProblem } from '@skolo/common';
import { models } from '@skolo/equipment/models';
import { didYouMean, type Equipment, type Rack } from '@skolo/rack';

export interface Target {
  name: string;
  model: string;
  /** Absent: the jumphost. */
  device?: Equipment;
  /** Why it is not backed up; undefined: it is. */
  why?: string | undefined;
}

/** The jumphost's value instead of a model. */
export const jumphostModel = 'jumphost';

/** In the order of rack.yaml. */
export function targetsOf(rack: Rack): Target[] {
  const targets = [...rack.equipment.values()].map(
    (device): Target => ({ name: device.name, model: device.model, device, why: whyNot(device) }),
  );
  const { name } = rack.jumphost;
  return [...targets, { name, model: jumphostModel, why: whyNotJumphost(rack) }];
}

export function targetOf(rack: Rack, name: string): Target | undefined {
  return targetsOf(rack).find((target) => target.name === name);
}

/** @param names of existing devices */
export function noSuchDevice(name: string, names: Iterable<string>): HttpProblem {
  const hint = 'to list all names, run skolo backup status';
  return new HttpProblem(404, `${name}: no such equipment${didYouMean(name, names, hint)}`);
}

function whyNot({ model: name, backup, address }: Equipment): string | undefined {
  if (!backup) return 'rack.yaml excludes it: `backup: false`';
  const model = models.get(name);
  if (model === undefined) return `${name} is not a known model`;
  if ('no' in model.backup) return model.backup.no;
  if (address === undefined) return 'rack.yaml does not specify its address';
  return undefined;
}

function whyNotJumphost({ services }: Rack): string | undefined {
  const { jumphost, encrypt } = services['router-backup'];
  if (!jumphost.backup) return 'rack.yaml excludes it: `jumphost: { backup: false }`';
  if (encrypt === undefined || encrypt === 'none') {
    return "the jumphost's backup contains secrets, so it must be encrypted: set services.router-backup.encrypt to an age recipient";
  }
  return undefined;
}

/** The startup configuration is its own device in the history, so that copies and commands know it. */
export function startupNameOf(device: string): string {
  return `${device}${startupEnd}`;
}

/** The device of a running or startup configuration. */
export function deviceOf(name: string): string {
  return name.endsWith(startupEnd) ? name.slice(0, -startupEnd.length) : name;
}

const startupEnd = '.startup';
