/**
 * What is in effect on a jumphost, by step. A step writes files and checks them; these checks ask the port, the kernel, systemd and
 * the running programs, since a later file, a drop-in or a command may have overridden ours.
 */

import { type Host, type Step, withLines } from '@skolo/computers';
import { type EffectiveUnit, repairUnits, unitsInEffect } from './units.ts';

/** What is compared when the files of a step match. */
export interface Effect {
  units?: readonly EffectiveUnit[];
  /** A script that prints a line for each fault, as `withLines` reads them. */
  script?: string;
  /** Such lines. */
  check?(host: Host): Promise<string[]>;
  /** A script that repairs what applying the step does not. */
  repair?: string;
}

/** Of all that a script asks: units that are just starting, a name server that does not respond. */
const deadlineMs = 120_000;

/** The step, with a check of what is in effect. */
export function inEffect(
  step: Step,
  { units = [], script = '', check, repair = '' }: Effect,
): Step {
  const { apply } = step;
  return {
    ...step,
    async check(host) {
      const before = await step.check(host);
      if (before.differs.length > 0) return before;
      const effective = `${unitsInEffect(units)}\n${script}`;
      const found = withLines(before, await host.need(effective, { deadlineMs }));
      return withLines(found, ((await check?.(host)) ?? []).join('\n'));
    },
    ...(apply !== undefined && {
      async apply(host) {
        await host.need(`${repairUnits(units)}\n${repair}`);
        await apply(host);
      },
    }),
  };
}
