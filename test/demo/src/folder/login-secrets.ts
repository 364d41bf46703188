import { randomBytes } from 'node:crypto';
import { type Rack, secretReferences } from '@skolo/rack';
import { agentPublicKey, newAgentKey, readSecret } from '@skolo/secrets';
import { makeSshKey } from '@skolo/simulators';
import { writeMissingSecret } from './secret-files.ts';

/** Makes up the passwords and keys of equipment that rack.yaml expects in files which are missing. */
export async function makeUpLoginSecrets(rack: Rack, dir: string): Promise<void> {
  for (const { where, ref } of secretReferences(rack)) {
    if (!where.startsWith('logins.') || !('file' in ref)) continue;
    const make = where.endsWith('.privateKey')
      ? () => makeSshKey().private
      : () => `${randomBytes(12).toString('base64url')}\n`;
    await writeMissingSecret(dir, ref.file, make);
  }
}

/** As racks/demo/rack.yaml has it. */
export const agentKeyFile = 'secrets/agent-key';

/** The public half of the key that signs requests to agents, which is made where there is none. */
export async function makeUpAgentKey(dir: string): Promise<string> {
  await writeMissingSecret(dir, agentKeyFile, () => newAgentKey().reveal());
  return agentPublicKey(await readSecret({ dir }, agentKeyFile));
}
