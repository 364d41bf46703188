import { randomBytes } from 'node:crypto';
import { agentPublicKey, newAgentKey, readSecret } from '@skolo/base/secrets';
import { type Rack, secretReferences } from '@skolo/rack';
import { makeSshKey } from '@skolo/simulators';
import { writeMissingSecret } from './secret-files.ts';

/** Generates the missing files with passwords and keys of equipment that rack.yaml names. */
export async function makeUpLoginSecrets(rack: Rack, dir: string): Promise<void> {
  for (const { where, ref } of secretReferences(rack)) {
    if (!where.startsWith('logins.') || !('file' in ref)) continue;
    const make = where.endsWith('.privateKey')
      ? () => makeSshKey().private
      : () => `${randomBytes(12).toString('base64url')}\n`;
    await writeMissingSecret(dir, ref.file, make);
  }
}

/** As in racks/demo/rack.yaml. */
export const agentKeyFile = 'secrets/agent-key';

/** The public half of the key that signs requests to agents, which is generated if missing. */
export async function makeUpAgentKey(dir: string): Promise<string> {
  await writeMissingSecret(dir, agentKeyFile, () => newAgentKey().reveal());
  return agentPublicKey(await readSecret({ dir }, agentKeyFile));
}
