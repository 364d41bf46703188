import { startApcCard } from '@skolo/simulators';
import { expect, it } from 'vitest';
import { stepsOf } from '../testing/configurations.ts';
import { simulated } from '../testing/simulated-device.ts';
import { backup } from './apc-card-backup.ts';

it('the configuration of an APC rack PDU is what the steps put on the card', async () => {
  const about = { model: 'apc-rpdu2', transport: 'snmp' } as const;
  const { device, inventory, connect } = await simulated(startApcCard, about);
  const version = device.running();

  const [copy] = stepsOf({ inventory, model: backup() }, version);
  const [, target = ''] = /:(\S+)$/.exec(copy?.lines[1] ?? '') ?? [];
  await connect().upload(target, version);

  expect(device.running()).toEqual(version);
  expect(copy?.lines[1]).toBe(`scp -O -P ${device.port} config.ini apc@127.0.0.1:config.ini`);
});
