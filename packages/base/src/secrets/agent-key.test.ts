import { createPrivateKey, generateKeyPairSync } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { agentKeyFault, agentPublicKey, newAgentKey, readAgentKey } from './agent-key.ts';
import { Secret } from './secret.ts';

/** RFC 8037, appendix A. */
const rfc = {
  kty: 'OKP',
  crv: 'Ed25519',
  x: '11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo',
  d: 'nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A',
};
const privateKey = { env: 'AGENT_KEY' };

describe('the key for agents', () => {
  it('has the public half of RFC 8037', () => {
    const key = createPrivateKey({ key: rfc, format: 'jwk' });
    const pem = new Secret(key.export({ type: 'pkcs8', format: 'pem' }).toString());

    expect(agentPublicKey(pem)).toBe(rfc.x);
    expect(agentKeyFault(pem, { privateKey, publicKey: rfc.x })).toBeUndefined();
  });

  it('is rejected where agents would reject it, and is never quoted', async () => {
    const { privateKey: rsa } = generateKeyPairSync('rsa', { modulusLength: 2048 });
    const others = [newAgentKey(), new Secret('hunter2')].map((secret) => secret.reveal());
    const texts = [...others, rsa.export({ type: 'pkcs8', format: 'pem' }).toString()];

    for (const text of texts) {
      const rack = { dir: '/', access: { agents: { privateKey, publicKey: rfc.x } } };
      const error = await readAgentKey(rack, { AGENT_KEY: text }).catch((why: unknown) => why);
      expect(error).toMatchObject({ code: 'SECRET_INVALID' });
      expect(String(error)).not.toContain(text.trim());
    }
  });

  it('is asked for where rack.yaml has none', async () => {
    await expect(readAgentKey({ dir: '/', access: {} })).rejects.toThrow(
      'rack.yaml does not contain access.agents; add it',
    );
  });
});
