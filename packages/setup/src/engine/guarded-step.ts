/** Steps that may lock everybody out. */

import { differingFiles, withLines } from './files.ts';
import { changeGuarded, type Guard, type Trial, unconfirmed } from './guarded-change.ts';
import type { FileContent, Host } from './host/host.ts';
import type { Step } from './step.ts';

interface GuardedStep extends Pick<Step, 'name' | 'about'> {
  files(host: Host): Promise<FileContent[]>;
  activate: string;
  /** Prints a line for each fault. */
  verify?: string;
  trial?: Trial;
}

/** A step whose change is undone automatically unless a new session can be opened after it. */
export function guardedStep(step: GuardedStep, guard: Guard): Step {
  const { name, about, activate, verify = '', trial } = step;
  return {
    name,
    about,
    async check(host) {
      const differs = await differingFiles(host, await step.files(host));
      const said = await host.need(`${unconfirmed}\n${verify}`);
      return withLines({ differs }, said);
    },
    async apply(host) {
      const change = { name, activate, files: await step.files(host), ...(trial && { trial }) };
      await changeGuarded(host, change, guard);
    },
  };
}
