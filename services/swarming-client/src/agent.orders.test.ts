/** Orders of people, over many kills of the agent. */

import type { Order } from '@skolo/api/swarming-client';
import { pause } from '@skolo/base';
import { countRounds, isLong, seed, seeded } from '@skolo/base/durable/fault-injection';
import { peer } from '@skolo/simulators';
import { expect, it } from 'vitest';
import { Lab, newOrder } from './testing/lab.ts';

/** Each takes some seconds. */
const kills = Math.ceil(countRounds() / 4);

// The sample kills the agent once in agent.test.ts.
it.runIf(isLong && peer('python3') && peer('adb'))(
  `orders that were acknowledged are there after ${kills} kills, SKOLO_SEED=${seed}`,
  async () => {
    await using its = await Lab.open({ phones: [{ serial: '0A1B2C3D' }] });
    const random = seeded(seed);
    let agent = await its.startAgent();
    let sent: Order[][] = [[]];
    for (let kill = 0; kill < kills; kill += 1) {
      const client = agent.client();
      const replacing = (async () => {
        for (;;) {
          const orders = Array.from({ length: 1 + Math.floor(random() * 20) }, () => newOrder());
          sent.push(orders);
          await client.setOrders({ body: { orders } });
          sent = [orders];
        }
      })().catch(() => undefined);
      // The moment of the kill is what the test is about.
      await pause(random() * 200);
      await agent.end('SIGKILL');
      await replacing;
      agent = await its.startAgent();
      const { orders } = await agent.status();
      expect(sent).toContainEqual(orders);
      sent = [orders ?? []];
    }
  },
  1_800_000,
);
