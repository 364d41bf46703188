/** The Secrets of who asks our services: Alertmanager and Prometheus of kube/base, with tokens that rack.yaml wants of them. */

import type { SecretRef } from '@skolo/secrets';
import type { Rack } from '../rack.ts';
import { mountedPath } from './secret-keys.ts';

export interface TokenSecret {
  name: 'alertmanager' | 'prometheus';
  /** By the service that is asked. */
  tokens: {
    key: 'alert-to-pubsub' | 'power-cycle-daemon';
    path: string;
    /** The place of rack.yaml that wants it. */
    where: string;
    /** How it is made, where rack.yaml does not say where it is. */
    madeBy?: string;
  }[];
}

/** Those that have to be there; both pods start without them, too. */
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
    madeBy: 'skolo token new alertmanager --role operate',
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
