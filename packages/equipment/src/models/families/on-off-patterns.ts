/** Parses an answer if rack.yaml says which text means on, and which off. */
import { DescribedExpression, timely } from '@skolo/base/described-expression';
import { DeviceRejected } from '@skolo/equipment/transports';
import type { Device } from '../contract/device.ts';
import type { OutletState } from '../contract/outlets.ts';

/** Where to correct what describes it. */
export function whereDescribed({ description }: Pick<Device, 'description'>): string {
  return description === undefined ? 'rack.yaml' : `the description ${description}`;
}

interface Expressions {
  on: string;
  off: string;
}

/**
 * Undefined if the text matches neither or both, so that it is not a reading.
 *
 * @throws SlowExpression One of them takes too long: that it does not match is not known, so the other one decides nothing.
 */
export function stateIn(text: string, { on, off }: Expressions): OutletState | undefined {
  const [isOn, isOff] = [new DescribedExpression(on), new DescribedExpression(off)];
  return timely([isOn, isOff], () => {
    const fitsOn = isOn.test(text);
    return fitsOn === isOff.test(text) ? undefined : fitsOn ? 'on' : 'off';
  });
}

/** @throws DeviceRejected It matches neither, or both. @throws SlowExpression */
export function readState(
  device: Pick<Device, 'name' | 'description'>,
  text: string,
  expressions: Expressions,
): OutletState {
  const state = stateIn(text, expressions);
  if (state !== undefined) return state;
  const both = `the response matches both or neither of \`read.on\` and \`read.off\` in ${whereDescribed(device)}`;
  throw new DeviceRejected(device.name, both);
}
