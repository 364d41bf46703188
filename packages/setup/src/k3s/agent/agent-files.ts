/** Settings and unit of a k3s agent. */

import { k3sTokenFile } from '@skolo/rack/secrets';
import type { TextFile } from '@skolo/setup/engine';
import { stringify } from 'yaml';
import { config } from '../program/config.ts';
import { imageStoreFiles } from '../program/image-store-settings.ts';
import { unitFiles } from '../program/unit.ts';

/** Keeps away k3s's own pods, and all pods that do not tolerate it. */
export const machineTaint = 'skolo/machine=true:NoSchedule';

export interface AgentNeeds {
  /** Its name in rack.yaml, and its address if it has one. */
  machine: { name: string; address?: string };
  /** Address of the server, which is the jumphost in a rack. */
  server: string;
  /** Only pods that tolerate it run on the node. Default: `machineTaint`; null: every pod may. */
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

/** Agent files for a computer without k3s. The token is in a separate file. */
export function agentFiles(needs: AgentNeeds): TextFile[] {
  return [
    { path: config, content: stringify(agentSettings(needs)), mode: 0o600 },
    ...unitFiles('agent'),
    ...imageStoreFiles,
  ];
}
