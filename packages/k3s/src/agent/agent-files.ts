/** Settings and unit of an agent of k3s. */
import type { TextFile } from '@skolo/computers';
import { k3sTokenFile } from '@skolo/rack/secrets';
import { stringify } from 'yaml';
import { config } from '../program/config.ts';
import { imageStoreFiles } from '../program/image-store-settings.ts';
import { unitFile, unitText } from '../program/unit.ts';

/** No pod of k3s' own, and of nobody who does not tolerate it. */
export const machineTaint = 'skolo/machine=true:NoSchedule';

export interface AgentNeeds {
  /** Its name in rack.yaml, and its address if it has one there. */
  machine: { name: string; address?: string };
  /** Address of the server: of the jumphost in a rack. */
  server: string;
  /** No pod runs there but those that tolerate it. Default: `machineTaint`; null: every pod may run there. */
  taint?: string | null;
}

export function agentSettings({
  machine: { name, address },
  server,
  taint = machineTaint,
}: AgentNeeds) {
  return {
    server: `https://${server.includes(':') ? `[${server}]` : server}:6443`,
    'token-file': k3sTokenFile,
    'node-name': name,
    ...(address !== undefined && { 'node-ip': address }),
    ...(taint !== null && { 'node-taint': [taint] }),
  };
}

/** Files of an agent for a computer that has no k3s yet. The token is in a file of its own. */
export function agentFiles(needs: AgentNeeds): TextFile[] {
  return [
    { path: config, content: stringify(agentSettings(needs)), mode: 0o600 },
    { path: unitFile('agent'), content: unitText('agent'), mode: 0o644 },
    ...imageStoreFiles,
  ];
}
