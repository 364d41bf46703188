/** A machine learns which key may order something of its agent: the public half, which is no secret. */

import { agentPublicKey, newAgentKey } from '@skolo/base/secrets';
import { checkSecrets, readRack } from '@skolo/rack';
import { expect, it } from 'vitest';
import { rackYaml, startRack } from './testing/rack.ts';

const [first, second] = [agentPublicKey(newAgentKey()), agentPublicKey(newAgentKey())];

function yamlWith(publicKey: string): string {
  return `${rackYaml}
access: { agents: { privateKey: secrets/agents, publicKey: ${publicKey} } }
`;
}

it('gives a machine the public key for its agent, follows rack.yaml, and cannot read the other half', async () => {
  const rack = await startRack({ yaml: yamlWith(first), tickMs: 20 });
  const partOf = async () =>
    (await rack.get('instance/attributes/skolo-machine', { from: '127.0.1.1' })).body;

  const machinePart = await partOf();
  const checked = await checkSecrets(await readRack(rack.rackFile), 'metadata-server');
  await rack.edit(yamlWith(second));

  expect(JSON.parse(machinePart).agent).toEqual({ publicKey: first, anonymousRead: [] });
  expect(machinePart).not.toContain('secrets/agents');
  expect(checked.map(({ where }) => where)).not.toContain('access.agents.privateKey');
  await expect.poll(async () => JSON.parse(await partOf()).agent.publicKey).toBe(second);
});
