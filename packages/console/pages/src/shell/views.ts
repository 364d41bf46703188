/** All pages of the console, their links, and the order of the navigation. */
import type { FunctionComponent } from 'preact';
import { Alerts } from '../alerts/alerts.tsx';
import { Backups } from '../backups/backups.tsx';
import { Downtime } from '../downtime/downtime.tsx';
import { EquipmentView } from '../equipment/equipment.tsx';
import { MachineView } from '../machine/machine.tsx';
import { Machines } from '../machines/machines.tsx';
import type { Route } from '../parts/router.ts';
import { Power } from '../power/power.tsx';
import { RackPage } from '../rack/rack.tsx';
import { RackFile } from '../rack-file/rack-file.tsx';
import { Services } from '../services/services.tsx';
import { Tokens } from '../tokens/tokens.tsx';
import { Visit } from '../visit/visit.tsx';
import { later } from './later.tsx';
import { listOf } from './more.tsx';

interface View {
  /** First part of its link. */
  name: string;
  /** Absent: its links name what it shows. */
  title?: string;
  /** The navigation entry that it belongs to; absent: it is one. */
  below?: 'rack' | 'more';
  /** In the list of those below `more`. */
  about?: string;
  component: FunctionComponent<{ route: Route }>;
}

const more: readonly View[] = [
  {
    name: 'machines',
    title: 'Table of machines',
    about: 'each machine with battery, temperature and last task; sortable; CSV',
    component: Machines,
  },
  {
    name: 'visit',
    title: 'List for a site visit',
    about: 'what needs attention, by shelf; printable',
    component: Visit,
  },
  {
    name: 'backups',
    title: 'Backups',
    about: 'configurations of the equipment, and what changed',
    component: Backups,
  },
  {
    name: 'services',
    title: 'Services',
    about: 'readiness and degraded parts',
    component: Services,
  },
  {
    name: 'audit',
    title: 'Audit',
    about: 'who changed what, and rejected requests',
    component: later(() => import('../audit/audit.tsx').then(({ Audit }) => Audit)),
  },
  {
    name: 'downtime',
    title: 'Downtime',
    about: 'machines that lost the most time to faults',
    component: Downtime,
  },
  {
    name: 'tokens',
    title: 'Tokens',
    about: 'identities of the metadata server, and who has requested tokens',
    component: Tokens,
  },
  {
    name: 'rack-file',
    title: 'rack.yaml',
    about: 'warnings, and changes in the last reload',
    component: RackFile,
  },
];

export const views: readonly View[] = [
  { name: 'rack', title: 'Rack', component: RackPage },
  {
    name: 'timeline',
    title: 'Timeline',
    component: later(() => import('../timeline/timeline.tsx').then((its) => its.RackTimeline)),
  },
  { name: 'power', title: 'Power', component: Power },
  { name: 'alerts', title: 'Alerts', component: Alerts },
  { name: 'more', title: 'More', component: listOf(more) },
  ...more.map((view) => ({ ...view, below: 'more' as const })),
  { name: 'machine', below: 'rack', component: MachineView },
  {
    name: 'incident',
    title: 'Incident',
    below: 'rack',
    component: later(() => import('../incident/incident.tsx').then((its) => its.IncidentPage)),
  },
  { name: 'equipment', below: 'rack', component: EquipmentView },
];
