/**
 * Decides when k3s must be restarted, because its certificates expire soon: they are valid for a year, and k3s renews those that expire
 * within 90 days, but only when it starts.
 */

import { checkByScript, type Step } from '@skolo/setup/engine';
import { startMs } from '../program/unit.ts';
import { untilReady } from './server.ts';

export const renewedBeforeDays = 90;
/** Of a node. */
export const agentCertificates = '/var/lib/rancher/k3s/agent';

/**
 * A script that prints each certificate in these directories that expires soon. CA certificates are valid for ten years, and restarts
 * do not renew them.
 */
export function expiringScript(...folders: string[]): string {
  return `command -v openssl > /dev/null || { echo 'openssl is missing; run apt-get install openssl' >&2; exit 1; }
find ${folders.join(' ')} -name '*.crt' ! -name '*-ca.crt' 2>/dev/null | sort | while read -r each; do
  openssl x509 -in "$each" -noout -checkend ${renewedBeforeDays * 86_400} > /dev/null || echo "$each expires on $(openssl x509 -in "$each" -noout -enddate | cut -d = -f 2)"
done`;
}

/** Of the server, and of its own node. */
export function certificatesStep(): Step {
  return {
    name: 'certificates',
    about: `no k3s certificate expires within ${renewedBeforeDays} days`,
    check: checkByScript(expiringScript('/var/lib/rancher/k3s/server/tls', agentCertificates)),
    async apply(host) {
      // Pods continue.
      await host.need('systemctl restart k3s.service', { deadlineMs: startMs });
      await untilReady(host);
    },
  };
}
