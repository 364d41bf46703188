/** While a request waits, rack.yaml may give its address to another machine, with another identity. */
import { describe, expect, it, vi } from 'vitest';
import { ask } from './testing/http.ts';
import {
  cloudPlatform,
  jumphost,
  rackYaml,
  self,
  startRack,
  startTestGoogle,
  type TestRack,
} from './testing/rack.ts';

const moved = rackYaml.replace('identity: bots\n    device', 'identity: jumphost\n    device');
const other = '127.0.1.2';

/** Writes rack.yaml, and resolves once the addresses of the machines have this project. */
async function move(rack: TestRack, yaml: string, project: string): Promise<void> {
  await rack.edit(yaml);
  const projectOf = async () => (await rack.get('project/project-id', { from: other })).body;
  await expect.poll(projectOf).toBe(project);
}

async function timesCounted(rack: TestRack, address: string): Promise<number | undefined> {
  const { body } = await ask(rack.metricsPort, '/v1/clients', { from: self });
  const { clients }: { clients: { address: string; requests: number }[] } = JSON.parse(body);
  return clients.find((client) => client.address === address)?.requests;
}

describe('a request that waits for a token', () => {
  it.each([
    ['an access token', `token?scopes=${cloudPlatform}`],
    ['an ID token', 'identity?audience=x'],
  ])('gets %s of the identity that its address has by then, and counts once', async (_, path) => {
    const yaml = rackYaml.replace(
      'rack: rack1',
      'rack: rack1\naccess: { anonymousRead: [127.0.0.0/8] }',
    );
    const google = await startTestGoogle();
    const relay = await google.behindRelay();
    const rack = await startRack({ google, yaml });
    await Promise.all([rack.token({ from: other }), rack.token({ from: self })]);
    const wait = relay.inject({ effect: 'wait' });
    const asked = rack.get(`instance/service-accounts/default/${path}`);
    await wait.struck();

    await move(
      rack,
      yaml.replace('identity: bots\n    device', 'identity: jumphost\n    device'),
      'other-project',
    );
    wait.end();

    const { status, body } = await asked;
    expect(status).toBe(200);
    const issued = google.issued.find(({ token }) => body.includes(token));
    expect(issued?.account).toBe(jumphost);
    expect(await timesCounted(rack, '127.0.1.1')).toBe(1);
  });
});

describe('a request whose MAC is being looked up', () => {
  const pi = '127.0.2.1';
  const withMac = (yaml: string, last: string) =>
    yaml.replace(
      'machines:',
      `machines:\n  pi: { kind: rpi, address: ${pi}, mac: '02:00:00:00:00:0${last}', identity: bots }`,
    );

  async function start() {
    const pending: ((mac: string) => void)[] = [];
    const findMac = () => new Promise<string>((resolve) => pending.push(resolve));
    const rack = await startRack({ yaml: withMac(rackYaml, '1'), findMac });
    const isLookedUp = () => vi.waitFor(() => expect(pending).toHaveLength(1));
    async function find(last: string): Promise<void> {
      await isLookedUp();
      pending.pop()?.(`02:00:00:00:00:0${last}`);
    }
    return { rack, isLookedUp, find };
  }

  it('is compared with that of the machine that has its address by then', async () => {
    const { rack, isLookedUp, find } = await start();
    const asked = rack.get('instance/name', { from: pi });
    await isLookedUp();
    await move(rack, withMac(moved, '2'), 'other-project');
    await find('1');

    await find('2');

    expect(await asked).toMatchObject({ status: 200, body: 'pi' });
  });

  it('and that would wait for a change is rejected at once if it is another one', async () => {
    const { rack, find } = await start();
    const asked = rack.get('instance/name?wait_for_change=true', { from: pi });

    // Before it would wait, and before the document.
    await find('6');
    await find('6');

    expect((await asked).status).toBe(403);
  });

  it('begins again twice, and is then told to try again', async () => {
    const { rack, isLookedUp, find } = await start();
    const asked = rack.get('instance/name', { from: pi });
    await isLookedUp();
    for (const [yaml, project] of [
      [moved, 'other-project'],
      [rackYaml, 'my-project'],
      [moved, 'other-project'],
    ] as const) {
      await move(rack, withMac(yaml, '1'), project);
      await find('1');
    }

    expect(await asked).toMatchObject({ status: 503, headers: { 'retry-after': '1' } });
  });
});
