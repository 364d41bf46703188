import { writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import {
  findCronLines,
  findExports,
  leftExport,
  prepare,
  reportOf,
  type Step,
} from '@skolo/jumphost';
import type { SkoloCommand } from '../../command.ts';
import { exitCodes } from '../../errors.ts';
import { printJson } from '../../io.ts';
import { count, plain } from '../../output/text.ts';
import { addStepOptions, openSteps, type PrepareOptions } from './open-steps.ts';

interface Options extends PrepareOptions {
  json?: true;
  report?: string;
}

/** `skolo jumphost verify`: what is wrong, and what repairs it. */
export function define(command: SkoloCommand): void {
  addStepOptions(
    command
      .description(
        'Looks at every step of skolo jumphost prepare, and at services, lines of cron and NFS exports of a former system. Lists what is wrong, each with the command that repairs it. Changes nothing. --report writes what the jumphost says of itself into a file, for those who help you: versions, units, ports, addresses, names and logs, without settings and secrets. Read it before you pass it on. Exit codes: 0 all is as it has to be; 1 something is wrong.',
      )
      .argument('<rack>', 'name in the list of racks')
      .option('--json', 'print JSON')
      .option('--report <file>', 'also write a report'),
  )
    .uses('clusters')
    .example('skolo jumphost verify rack4 --report rack4.md');

  command.interruptible(async (signal, rack: string, options: Options) => {
    const { io } = command;
    const given = { signal, report() {} };
    const { host, steps } = await openSteps(command, rack, { ...options, returnAfter: 0 }, given);
    const found = await prepare(host, steps, { isCheck: true, signal, report() {} });
    const wrong = found.filter(({ state }) => state !== 'ok');
    const cron = await findCronLines(host);
    const exports = await findExports(host);
    const left = steps.some(({ name }) => name === 'nfs') ? undefined : await leftExport(host);
    const report = options.report === undefined ? undefined : resolve(io.folder, options.report);
    if (report !== undefined) await writeFile(report, await reportOf(host, found), { mode: 0o600 });
    if (wrong.length > 0) io.exitCode = exitCodes.failed;
    if (options.json) {
      const all = found.map((step) => ({ ...step, repair: repairOf(steps, step.name, rack) }));
      return printJson(io, { rack, steps: all, cron, exports, leftExport: left, report });
    }
    for (const { name, text } of wrong) {
      io.out(plain(`${name}: ${text || 'not looked at'}`));
      const how = repairOf(steps, name, rack);
      if (how !== undefined) io.out(`  ${how}`);
    }
    const hardware = found.find(({ name }) => name === 'hardware');
    if (hardware?.state === 'ok') io.out(plain(`hardware: ${hardware.text}`));
    for (const line of cron) io.out(plain(`cron of a former system? ${line}`));
    for (const line of exports) io.out(plain(`NFS export of a former system? ${line}`));
    if (left !== undefined) io.out(plain(left));
    if (report !== undefined) io.out(`report: ${report}`);
    if (wrong.length === 0) io.out(`${rack}: ${count(found.length, 'step')} as they have to be`);
  });
}

/** Undefined where the text of the step says it: only a person can. */
function repairOf(steps: readonly Step[], name: string, rack: string): string | undefined {
  const step = steps.find((each) => each.name === name);
  return step?.apply === undefined ? undefined : `skolo jumphost prepare ${rack}`;
}
