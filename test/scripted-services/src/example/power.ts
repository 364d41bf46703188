/** The state of the example's power-cycle daemon, and its rejections. */
import { ControllerStatus, Hold, MachinePower, PowerCycle, type Rejection, Time } from '@skolo/api';
import { z } from 'zod';
import { ago } from '../ago.ts';
import type { PowerWorld } from '../power-cycle-daemon.ts';
import { load } from './load.ts';

const minutes = 60;

const machineNames = ['001', '002', '003', '004'].map(
  (number) => `skia-rpi2-rack4-shelf1-${number}`,
);
const phoneNames = machineNames.map((name) => `${name}-device`);

/** All valid targets. */
const knownNames = new Set([
  ...machineNames,
  ...phoneNames,
  'skia-e-linux-01',
  'skia-e-linux-01-left',
  'skia-e-linux-01-right',
  'spare',
  'switch-1',
  'pdu-1',
  'pdu-1/1',
  'rack4',
]);

/** Why it is rejected, for any caller. */
function rejectionOf(target: string, force: boolean): Rejection | undefined {
  if (!knownNames.has(target)) {
    const detail = `${target}: rack.yaml knows nothing of that name; did you mean spare?`;
    return { target, code: 'unknown', detail };
  }
  if (target === 'spare') {
    const detail = 'spare: rack.yaml does not say where its power comes from';
    return { target, code: 'no-outlet', detail };
  }
  if (target === 'switch-1' && !force) {
    const detail =
      'switch-1: others lose power or network with it; with force they are taken along';
    return {
      target,
      code: 'others-go-dark',
      detail,
      dark: [...machineNames, ...phoneNames, 'pdu-1'],
    };
  }
  if (target.endsWith('-device')) {
    const detail = `${target}: the last power cut or reboot of this target ended less than 300 s ago; try again in 252 s, or use --ignore-limits as an operator`;
    return { target, code: 'cooling-down', detail, until: ago(-4.5 * minutes) };
  }
  return undefined;
}

const data = load(
  'power.yaml',
  z.object({
    machines: z.array(MachinePower),
    controllers: z.array(ControllerStatus),
    holds: z.array(Hold),
    cycles: z.array(PowerCycle),
    hostKeys: z.array(
      z.object({ equipment: z.string(), fingerprint: z.string(), firstSeen: Time }),
    ),
  }),
);

export const examplePower: PowerWorld = {
  machines: () => data().machines,
  controllers: () => data().controllers,
  holds: () => data().holds,
  cycles: () => data().cycles,
  hostKeys: () => data().hostKeys,
  rejectionOf: (target, { force }) => rejectionOf(target, force),
};
