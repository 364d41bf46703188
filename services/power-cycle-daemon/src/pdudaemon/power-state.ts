/** Whether a target is on, for programs: read from all its outlets now, never remembered or guessed. */
import { models } from '@skolo/equipment/models';
import { formatOutlet, type Outlet, type Rack } from '@skolo/rack';
import { isOff } from '../equipment/controller.ts';
import type { Controllers } from '../equipment/controllers.ts';
import type { Target } from '../rules/targets.ts';

/** The text is the answer: `board-1: pdu-1/4 is off, bmc-1/chassis is on`. */
export class StateUnknown extends Error {
  readonly code = 'STATE_UNKNOWN';
}

/**
 * `off` only if all feeds are read as off. `on` if it can run: a feed that supplies power is on, and so is its chassis, if a management
 * controller switches it.
 *
 * @throws StateUnknown Neither is proven. @throws DeviceError An outlet that decides cannot be read.
 */
export async function readPower(
  { name, feeds }: Target,
  rack: Rack,
  controllers: Pick<Controllers, 'get'>,
): Promise<'on' | 'off'> {
  if (feeds.length === 0) throw new StateUnknown(`${name}: rack.yaml lists no outlet for it`);
  const answers = await Promise.allSettled(feeds.map((feed) => stateOf(feed, controllers)));
  const states = answers.map((answer) => (answer.status === 'fulfilled' ? answer.value : 'unread'));
  if (states.every((state) => state === 'off')) return 'off';
  const chassis = feeds.map((feed) => isChassis(feed, rack));
  const supplies = states.filter((_, at) => !chassis[at]);
  const buttons = states.filter((_, at) => chassis[at]);
  const isSupplied = supplies.length === 0 || supplies.includes('on');
  if (isSupplied && buttons.every((state) => state === 'on')) return 'on';
  const failed = answers.find((answer) => answer.status === 'rejected');
  if (failed !== undefined) throw failed.reason;
  const each = feeds.map((feed, at) => `${formatOutlet(feed)} is ${states[at]}`);
  throw new StateUnknown(`${name}: ${each.join(', ')}`);
}

async function stateOf({ device, outlet }: Outlet, controllers: Pick<Controllers, 'get'>) {
  const readings = await controllers.get(device)?.read([outlet]);
  const reading = readings?.get(outlet);
  if (isOff(reading)) return 'off';
  const { state = 'unknown', fault } = reading ?? {};
  // An outlet that is set off and still delivers power is neither, nor is one with a fault, which delivers none.
  if (state === 'off') return 'off, but still delivers power';
  return fault === undefined ? state : `${state}, but reports ${fault}`;
}

function isChassis({ device }: Outlet, { equipment }: Rack): boolean {
  const { model = '', options = {} } = equipment.get(device) ?? {};
  return models.get(model)?.power?.isChassis?.(options) ?? false;
}
