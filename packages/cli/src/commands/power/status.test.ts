import { createServer } from 'node:http';
import { listen } from '@skolo/base/testing';
import { expect, it } from 'vitest';
import { runCommand } from '../../testing/run-command.ts';

it('says how to show an outlet if nothing in rack.yaml has power', async () => {
  const outlet = {
    outlet: 'strip/1',
    controller: 'strip',
    feeds: [],
    state: 'on',
    stuckOff: false,
  };
  const shown = { kind: 'infrastructure', controllers: [] };
  const port = await listen(
    createServer(({ url = '' }, response) => {
      const machines = url.includes('strip%2F1')
        ? [{ ...shown, name: 'strip/1', outlets: [outlet] }]
        : [{ ...shown, name: 'strip', outlets: [] }];
      response.setHeader('content-type', 'application/json').end(JSON.stringify({ machines }));
    }),
  );
  const status = async (...names: string[]) =>
    (await runCommand(['power', 'status', '--url', `http://127.0.0.1:${port}`, ...names])).out;
  const hint = 'to show an outlet, run skolo power status PDU/OUTLET';

  expect(await status()).toContain(hint);
  expect(await status('strip/1')).not.toContain(hint);
  expect(await status('strip')).not.toContain(hint);
});
