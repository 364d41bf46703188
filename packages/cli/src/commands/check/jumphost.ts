import { writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { Finding } from '@skolo/base';
import { type Host, prepare, type StepProgress } from '@skolo/setup/engine';
import { findCronLines, findExports, leftExport, reportOf } from '@skolo/setup/jumphost';
import type { SkoloCommand } from '../../command.ts';
import { addStepOptions, openSteps, type StepOptions } from '../jumphost/steps/open-steps.ts';
import { type CheckResult, defineCheck, parted } from './check.ts';

interface Options extends StepOptions {
  report?: string;
}

/** `skolo check jumphost`: what is wrong, and how to fix it. */
export function define(command: SkoloCommand): void {
  addStepOptions(
    command
      .description(
        'Checks every step of skolo jumphost prepare, and the actual state of the jumphost: units, ports, sshd, firewall, k3s, disk, names, services, and remains of an existing system. It also fetches a token, resolves the names in rack.yaml through the router, and reports alert sinks and power controllers that do not respond. The command does not change anything. For each problem, it prints the solution. --report also writes a file that you can send to people who help you. The file contains versions, units, ports, addresses, names and logs, but no settings or secrets; read it before you share it.',
      )
      .summary('check a jumphost for problems')
      .argument('<rack>', 'rack name, as listed by skolo racks')
      .option('--report <file>', 'also write a report to this file'),
  )
    .uses('clusters')
    .example('skolo check jumphost rack4 --report rack4.md');

  defineCheck(
    command,
    async (signal, rack: string, options: Options) =>
      (await checkJumphost(command, signal, rack, options)).result,
  );
}

/** Checks all steps and uses. @throws FleetError @throws RackError @throws ComputerError @throws CliError */
export async function checkJumphost(
  command: SkoloCommand,
  signal: AbortSignal,
  rack: string,
  options: Options,
): Promise<{ host: Host; result: CheckResult }> {
  const { io } = command;
  const given = { signal, report() {} };
  const all = { ...options, returnAfter: 0 };
  const { host, steps: own, uses } = await openSteps(command, rack, all, given);
  const steps = await prepare(host, [...own, uses], { isCheck: true, signal, report() {} });
  const info = (thing: string, found: string): Finding => ({ thing, state: 'info', found });
  const cron = (await findCronLines(host)).map((line) =>
    info('existing system', `possible cron job: ${line}`),
  );
  const exports = (await findExports(host)).map((line) =>
    info('existing system', `possible NFS export: ${line}`),
  );
  const left = own.some(({ name }) => name === 'nfs') ? undefined : await leftExport(host);
  const report = options.report === undefined ? undefined : resolve(io.folder, options.report);
  if (report !== undefined) await writeFile(report, await reportOf(host, steps), { mode: 0o600 });
  const result = {
    name: rack,
    findings: [
      ...steps.flatMap((step) => ofStep(step, `skolo jumphost prepare ${rack}`)),
      ...[...cron, ...exports],
      ...(left === undefined ? [] : [{ ...info('NFS', ''), ...parted(left) }]),
      ...(report === undefined ? [] : [info('report', report)]),
    ],
    details: { steps, report },
  };
  return { host, result };
}

/** Steps whose notes are for people. */
const noted = /^(hardware|changes|updates|boot)$/;

/** A finding for each difference. Their texts say what to do, unless `prepare` repairs them. */
function ofStep({ name: thing, state, text, check, isRepairable }: StepProgress, repair: string) {
  const advice = isRepairable ? `run ${repair}` : undefined;
  if (state === 'differs' && check !== undefined) {
    const { differs, byHand = [] } = check;
    const own = differs.map((found) => (advice ? { found, advice } : parted(found)));
    return [...own, ...byHand.map(parted)].map(
      (found): Finding => ({ thing, state: 'differs', ...found }),
    );
  }
  if (state !== 'ok') return [{ thing, state: 'unchecked', found: text, advice } satisfies Finding];
  const found: Finding = { thing, state: 'ok', found: '' };
  return noted.test(thing) && text !== ''
    ? [found, { ...found, state: 'info', ...parted(text) } satisfies Finding]
    : [found];
}
