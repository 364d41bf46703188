/** The secrets of Alertmanager and Prometheus in kube/base: their tokens for our services. */

import type { SecretRef } from '@skolo/base/secrets';
import type { Rack } from '../rack/rack.ts';
import { mountedPath } from './keys.ts';

interface TokenSecret {
  name: 'alertmanager' | 'prometheus';
  /** By service. */
  tokens: {
    key: 'alert-to-pubsub' | 'power-cycle-daemon';
    path: string;
    /** The path in rack.yaml that requires it. */
    where: string;
    /** The command that creates it, if rack.yaml does not contain a path. */
    madeBy?: string;
  }[];
}

/** Required Secrets, without which both pods still start. */
export function tokenSecrets({ services }: Rack): TokenSecret[] {
  const { bearer } = services['alert-to-pubsub'].auth;
  const alerts = {
    key: 'alert-to-pubsub' as const,
    path: bearer && pathOf(bearer),
    where: 'services.alert-to-pubsub.auth.bearer',
  };
  const toAlerts = alerts.path === undefined ? [] : [{ ...alerts, path: alerts.path }];
  const toPower = {
    key: 'power-cycle-daemon' as const,
    path: 'secrets/alertmanager-token',
    where: 'services.power-cycle-daemon.repair',
    madeBy: 'skolo secrets generate',
  };
  const { enabled } = services['power-cycle-daemon'].repair;
  const all: TokenSecret[] = [
    { name: 'alertmanager', tokens: [...toAlerts, ...(enabled ? [toPower] : [])] },
    { name: 'prometheus', tokens: toAlerts },
  ];
  return all.filter(({ tokens }) => tokens.length > 0);
}

function pathOf(ref: SecretRef): string | undefined {
  return 'file' in ref ? mountedPath(ref.file) : `secrets/${ref.env}`;
}
