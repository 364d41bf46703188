/** Parses an answer if rack.yaml says which text means on, and which off. */
import { DescribedExpression } from '@skolo/base/described-expression';
import { DeviceRejected } from '@skolo/equipment/transports';
import type { OutletState } from '../contract/outlets.ts';

interface Expressions {
  on: string;
  off: string;
}

/** Undefined if the text matches neither or both, so that it is not a reading. */
export function stateIn(text: string, { on, off }: Expressions): OutletState | undefined {
  const fitsOn = new DescribedExpression(on).test(text);
  return fitsOn === new DescribedExpression(off).test(text) ? undefined : fitsOn ? 'on' : 'off';
}

/** @throws DeviceRejected It matches neither, or both. */
export function readState(device: string, text: string, expressions: Expressions): OutletState {
  const state = stateIn(text, expressions);
  if (state !== undefined) return state;
  const both =
    'the response matches both or neither of `read.on` and `read.off` in rack.yaml; one of more than 64 KiB, or for which an expression takes too long, matches neither';
  throw new DeviceRejected(device, both);
}
