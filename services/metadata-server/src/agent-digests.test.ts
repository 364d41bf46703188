/** A machine learns by which token its agent is opened, as a digest and its own only. */
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { checkSecrets, readRack } from '@skolo/rack';
import { agentToken, agentTokenDigest } from '@skolo/secrets';
import { describe, expect, it } from 'vitest';
import { TestClock } from './testing/clock.ts';
import { ask } from './testing/http.ts';
import {
  newRackFolder,
  rackYaml,
  self,
  startRack,
  startTestGoogle,
  type TestRack,
} from './testing/rack.ts';

const yaml = `${rackYaml.replace('kind: rpi', 'kind: rpi\n    login: machines')}
logins: { machines: { username: root, token: secrets/agents } }
`;

async function startWith(token: string | undefined) {
  const clock = new TestClock();
  const google = await startTestGoogle(undefined, clock);
  const dir = await newRackFolder(google, yaml);
  const file = join(dir, 'secrets/agents');
  if (token !== undefined) await writeFile(file, token, { mode: 0o600 });
  const rack = await startRack({ google, dir, clock, tickMs: 20 });
  return { rack, clock, file };
}

async function sliceOf(rack: TestRack, from: string) {
  const reply = await rack.get('instance/attributes/skolo-machine', { from });
  expect(reply.status).toBe(200);
  return JSON.parse(reply.body);
}

async function degraded(rack: TestRack): Promise<string[]> {
  const reply = await ask(rack.metricsPort, '/readyz', { from: self });
  return JSON.parse(reply.body).degraded.map(({ what }: { what: string }) => what);
}

const digestOf = (token: string, machine: string) => agentTokenDigest(agentToken(token, machine));

describe('the digest of the token of an agent', () => {
  it('is in the slice of its machine, each its own, and the token in none', async () => {
    const { rack } = await startWith('of all agents\n');

    const [one, two] = [await sliceOf(rack, '127.0.1.1'), await sliceOf(rack, '127.0.1.2')];

    expect(one.agent.tokenSha256).toBe(digestOf('of all agents', 'rack1-shelf1-001'));
    expect(two.agent.tokenSha256).toBe(digestOf('of all agents', 'rack1-shelf1-002'));
    expect(JSON.stringify([one, two])).not.toContain('of all agents');
    expect(JSON.stringify([one, two])).not.toContain(
      agentToken('of all agents', 'rack1-shelf1-001'),
    );
  });

  it('is another one within a minute after the token is', async () => {
    const { rack, clock, file } = await startWith('the first');
    await sliceOf(rack, '127.0.1.1');

    await writeFile(file, 'the second');
    clock.pass(61);

    await expect
      .poll(async () => (await sliceOf(rack, '127.0.1.1')).agent.tokenSha256)
      .toBe(digestOf('the second', 'rack1-shelf1-001'));
  });

  it('is absent where the token cannot be read, which takes away nothing else, and comes back', async () => {
    const { rack, file } = await startWith(undefined);

    expect((await sliceOf(rack, '127.0.1.1')).agent).toEqual({ anonymousRead: [] });
    expect((await rack.token({ from: '127.0.1.1' })).status).toBe(200);
    expect(await degraded(rack)).toEqual(['token of login machines']);

    await writeFile(file, 'late');

    await expect
      .poll(async () => (await sliceOf(rack, '127.0.1.1')).agent.tokenSha256)
      .toBe(digestOf('late', 'rack1-shelf1-001'));
    await expect.poll(() => degraded(rack)).toEqual([]);
  });

  it('is checked beforehand', async () => {
    const { rack, file } = await startWith('of all agents');
    const check = async () => {
      const secrets = await checkSecrets(await readRack(rack.rackFile), 'metadata-server');
      return secrets.flatMap(({ where, error }) => (error ? [`${where}: ${error.message}`] : []));
    };

    const well = await check();
    await rm(file);
    const missing = await check();

    expect(well).toEqual([]);
    expect(missing).toEqual([expect.stringMatching(/^logins\.machines\.token: .*secrets\/agents/)]);
  });
});
