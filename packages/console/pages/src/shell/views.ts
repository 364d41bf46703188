import type { FunctionComponent } from 'preact';
import { Alerts } from '../alerts/alerts.tsx';
import { Audit } from '../audit/audit.tsx';
import { Backups } from '../backups/backups.tsx';
import { Downtime } from '../downtime/downtime.tsx';
import { MachineView } from '../machine/machine.tsx';
import type { Route } from '../parts/router.ts';
import { Power } from '../power/power.tsx';
import { RackPage } from '../rack/rack.tsx';
import { RackFile } from '../rack-file/rack-file.tsx';
import { Services } from '../services/services.tsx';
import { Tokens } from '../tokens/tokens.tsx';
import { Visit } from '../visit/visit.tsx';

interface View {
  /** First part of its link. */
  name: string;
  /** Title in the navigation; absent: reached from another view. */
  title?: string;
  /** The navigation entry that it belongs to. */
  below?: string;
  component: FunctionComponent<{ route: Route }>;
}

export const views: readonly View[] = [
  { name: 'rack', title: 'Rack', component: RackPage },
  { name: 'power', title: 'Power', component: Power },
  { name: 'backups', title: 'Backups', component: Backups },
  { name: 'alerts', title: 'Alerts', component: Alerts },
  { name: 'tokens', title: 'Tokens', component: Tokens },
  { name: 'services', title: 'Services', component: Services },
  { name: 'audit', title: 'Audit', component: Audit },
  { name: 'rack-file', title: 'rack.yaml', component: RackFile },
  { name: 'downtime', title: 'Downtime', component: Downtime },
  { name: 'machine', below: 'rack', component: MachineView },
  { name: 'visit', below: 'rack', component: Visit },
];
