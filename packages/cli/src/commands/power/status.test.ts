import { untilTestEnds } from '@skolo/base/testing';
import { startScripted } from '@skolo/scripted-services';
import { expect, it } from 'vitest';
import { runCommand } from '../../testing/run-command.ts';

it('says how to show an outlet if nothing in rack.yaml has power', async () => {
  const outlet = { outlet: 'strip/1', controller: 'strip', feeds: [] };
  const shown = { kind: 'equipment' as const, controllers: [] };
  const on = { ...outlet, state: 'on' as const, stuckOff: false };
  const { url } = untilTestEnds(
    await startScripted('power-cycle-daemon', {
      machines: ({ query: { name } }) =>
        name === 'strip/1'
          ? { machines: [{ ...shown, name, outlets: [on] }] }
          : { machines: [{ ...shown, name: 'strip', outlets: [] }] },
    }),
  );
  const status = async (...names: string[]) =>
    (await runCommand(['power', 'status', '--url', url, ...names])).out;
  const hint = 'to show an outlet, run skolo power status PDU/OUTLET';

  expect(await status()).toContain(hint);
  expect(await status('strip/1')).not.toContain(hint);
  expect(await status('strip')).not.toContain(hint);
});
