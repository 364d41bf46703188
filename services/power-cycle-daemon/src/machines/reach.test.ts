/** What counts as an answer of the router, over real sockets. */

import { createServer } from 'node:net';
import { listen } from '@skolo/base/testing';
import type { Equipment } from '@skolo/rack';
import { parseRack } from '@skolo/rack';
import { freeTcpPort } from '@skolo/simulators/free-port';
import { describe, expect, it } from 'vitest';
import { rackYaml } from '../testing/daemon.ts';
import { reach } from './probe.ts';

function device(entry: string): Equipment {
  const rack = parseRack(rackYaml(`equipment: { router: { uplink: internet, ${entry} } }`), {
    file: 'rack.yaml',
  });
  const found = rack.equipment.get('router');
  if (found === undefined) throw new Error('no router');
  return found;
}

const patient = () => new AbortController().signal;

/** The broadcast address of the loopback network: no connection can be made to it, and no ping is answered. */
function nobody(): Equipment {
  return { ...device('model: edgeos, address: 127.0.2.9'), address: '127.255.255.255' };
}

describe('a router', () => {
  it('is there when it takes a connection', async () => {
    const port = await listen(createServer());
    const router = device(`model: edgeos, address: 127.0.0.1, port: ${port}`);

    expect(await reach(router, 2000, patient())).toBe(true);
  });

  it('is there when it rejects one: its ssh server may be gone, the router is not', async () => {
    const router = device(`model: edgeos, address: 127.0.0.1, port: ${await freeTcpPort()}`);

    expect(await reach(router, 2000, patient())).toBe(true);
  });

  it('is silent when nothing comes back', async () => {
    expect(await reach(nobody(), 500, patient())).toBe(false);
  });

  it('is not asked any more once the daemon stops', async () => {
    const stopping = new AbortController();

    const asked = reach(nobody(), 60_000, stopping.signal);
    stopping.abort(new Error('the daemon stops'));

    await expect(asked).rejects.toThrow('the daemon stops');
  });
});
