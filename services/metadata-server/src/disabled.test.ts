/** A start from a rack.yaml with errors, without a last good copy. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ask } from './testing/http.ts';
import { bots, jumphost, rackYaml, self, startRack, type TestRack } from './testing/rack.ts';

/** Unlisted callers get an identity, and so does a network in which the machines are. */
const generous =
  `${rackYaml.replace('identities:', 'defaultIdentity: jumphost\nidentities:')}`.replace(
    'callers: [',
    'callers: [{ cidr: 127.0.1.0/24, identity: jumphost }, ',
  );
const extra = '  extra: { kind: host, address: 127.0.1.50, identity: bots }\nservices:';
const good = generous.replace('services:', extra);

const email = 'instance/service-accounts/default/email';

async function emailOf(rack: TestRack, from: string): Promise<string> {
  const { status, body } = await rack.get(email, { from });
  return status === 200 ? body : String(status);
}

async function startWith(from: string, to: string): Promise<TestRack> {
  expect(good).toContain(from);
  return startRack({ yaml: good.replace(from, to) });
}

describe('a start from a rack.yaml with errors', () => {
  it('serves the machines that have none, and gives the address of the other one no identity', async () => {
    const rack = await startWith('kind: host, address', 'knd: host, address');

    expect(await emailOf(rack, '127.0.1.1')).toBe(bots);
    expect(await emailOf(rack, '127.0.4.1')).toBe(jumphost);
    expect(await emailOf(rack, self)).toBe(jumphost);
    expect(await emailOf(rack, '127.0.1.50')).toBe('403');
    expect((await rack.token({ from: '127.0.1.50' })).body).not.toContain('ya29');
    const { body } = await ask(rack.metricsPort, '/readyz', { from: self });
    expect(body).toContain('disabled until fixed: machines.extra; the rest is active');
  });

  it('gives no address of the subnet to a network, where the error is in an address', async () => {
    const rack = await startWith('address: 127.0.1.50', 'address: 127.0.1.5O');

    expect(await emailOf(rack, '127.0.1.1')).toBe(bots);
    expect(await emailOf(rack, self)).toBe(jumphost);
    expect(await emailOf(rack, '127.0.1.50')).toBe('403');
    expect(await emailOf(rack, '127.0.4.1')).toBe('403');
  });

  it('cuts off the machines of an identity with an error, and not to the default one', async () => {
    const rack = await startWith('project: my-project', 'project: My Project');

    expect(await emailOf(rack, '127.0.1.1')).toBe('403');
    expect(await emailOf(rack, '127.0.1.50')).toBe('403');
    expect(await emailOf(rack, '127.0.4.1')).toBe(jumphost);
  });

  it('serves all once the file is corrected', async () => {
    const rack = await startWith('kind: host, address', 'knd: host, address');
    expect(await emailOf(rack, '127.0.1.50')).toBe('403');

    await rack.edit(good);

    await expect.poll(() => emailOf(rack, '127.0.1.50')).toBe(bots);
    const { body } = await ask(rack.metricsPort, '/readyz', { from: self });
    expect(body).not.toContain('disabled');
  });

  it('keeps a last good copy whole, where there is one', async () => {
    const rack = await startRack({ yaml: good });
    await rack.stop();
    await writeFile(join(rack.dir, 'rack.yaml'), good.replace('kind: host', 'knd: host'));

    const again = await startRack({ google: rack.google, dir: rack.dir });

    expect(await emailOf(again, '127.0.1.50')).toBe(bots);
  });
});
