/** One thing of the rack, and what hangs together with it. */
import type { Rack } from '@skolo/rack';
import type { Subject } from './subjects.ts';
import { allPlugged, darkWithout, needsOf, type Plugged } from './wiring.ts';
import { outletText } from './wiring-text.ts';

export interface Detail {
  subject: Subject;
  /** What is plugged into it. */
  plugged: Plugged[];
  dependsOn: string[];
  goesDark: string[];
}

export function detailsOf(rack: Rack, subjects: readonly Subject[]): Detail[] {
  const all = allPlugged(rack);
  return subjects.map((subject) => ({
    subject,
    plugged: all.filter(({ outlet }) =>
      subject.is === 'outlet'
        ? outletText(outlet) === outletText(subject.outlet)
        : outlet.device === subject.name,
    ),
    dependsOn: needsOf(rack, subject),
    goesDark: darkWithout(rack, subject),
  }));
}
