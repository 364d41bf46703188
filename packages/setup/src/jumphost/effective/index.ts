/**
 * The settings in effect on a jumphost, by step. A step writes files and checks them; these checks query the port, the kernel, systemd and
 * the running programs, because a later file, a drop-in or a command may have overridden ours.
 */

import { type Host, type Step, withLines } from '@skolo/setup/engine';
import { type EffectiveUnit, repairUnits, unitsWhich } from './units.ts';

/** Compared when a step's files match. */
export interface Effect {
  units?: readonly EffectiveUnit[];
  /** A script that prints a line for each fault, as `withLines` reads them. */
  script?: string;
  /** Such lines. */
  check?(host: Host): Promise<string[]>;
  /** A script that repairs faults which applying the step does not repair. */
  repair?: string;
  /** A script that `prepare` runs last, for what is no fault. */
  renew?: string;
}

/** Time limit of a script, for units that are starting or a name server that does not respond. */
const deadlineMs = 120_000;

/** The step, with a check of its effect. */
export function inEffect(
  step: Step,
  { units = [], script = '', check, repair = '', renew = '' }: Effect,
): Step {
  const { apply } = step;
  return {
    ...step,
    async check(host) {
      // What a unit that hangs should serve differs, too.
      if (units.length > 0) {
        const hung = await host.need(unitsWhich('hangs', units), { deadlineMs });
        if (hung !== '') return withLines({ differs: [] }, hung);
      }
      const before = await step.check(host);
      if (before.differs.length > 0) return before;
      const effective = `${unitsWhich('differs', units)}\n${script}`;
      const found = withLines(before, await host.need(effective, { deadlineMs }));
      return withLines(found, ((await check?.(host)) ?? []).join('\n'));
    },
    ...(apply !== undefined && {
      async apply(host) {
        await host.need(`${repairUnits(units)}\n${repair}`);
        await apply(host);
      },
    }),
    ...(renew !== '' && { renew: async (host) => void (await host.need(renew)) }),
  };
}
