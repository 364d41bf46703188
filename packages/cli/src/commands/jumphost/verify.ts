import { writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { count } from '@skolo/base';
import { prepare } from '@skolo/computers';
import { findCronLines, findExports, leftExport, reportOf } from '@skolo/jumphost';
import type { SkoloCommand } from '../../command.ts';
import { exitCodes } from '../../errors.ts';
import { printJson } from '../../io.ts';
import { plain } from '../../output/text.ts';
import { addStepOptions, openSteps, type PrepareOptions } from './steps/open-steps.ts';

interface Options extends PrepareOptions {
  json?: true;
  report?: string;
}

/** `skolo jumphost verify`: shows what is wrong, and how to fix it. */
export function define(command: SkoloCommand): void {
  addStepOptions(
    command
      .description(
        'Checks every step of skolo jumphost prepare, and the actual state of the jumphost: units, ports, sshd, firewall, k3s, disk, names, services, and remains of an existing system. It also fetches a token, resolves the names in rack.yaml through the router, and reports alert sinks and power controllers that do not respond. The command does not change anything. For each problem, it prints the solution. --report also writes a file that you can send to people who help you. The file contains versions, units, ports, addresses, names and logs, but no settings or secrets; read it before you share it. Exit codes: 0 no problems; 1 problems found.',
      )
      .summary('check a jumphost for problems')
      .argument('<rack>', 'rack name, as listed by skolo racks')
      .option('--json', 'print JSON')
      .option('--report <file>', 'also write a report to this file'),
  )
    .uses('clusters')
    .example('skolo jumphost verify rack4 --report rack4.md');

  command.interruptible(async (signal, rack: string, options: Options) => {
    const { io } = command;
    const given = { signal, report() {} };
    const { host, steps, uses } = await openSteps(
      command,
      rack,
      { ...options, returnAfter: 0 },
      given,
    );
    const found = await prepare(host, [...steps, uses], { isCheck: true, signal, report() {} });
    const wrong = found.filter(({ state }) => state !== 'ok');
    const cron = await findCronLines(host);
    const exports = await findExports(host);
    const left = steps.some(({ name }) => name === 'nfs') ? undefined : await leftExport(host);
    const report = options.report === undefined ? undefined : resolve(io.folder, options.report);
    if (report !== undefined) await writeFile(report, await reportOf(host, found), { mode: 0o600 });
    if (wrong.length > 0) io.exitCode = exitCodes.failed;
    const repair = `skolo jumphost prepare ${rack}`;
    if (options.json) {
      const all = found.map(({ isRepairable, ...step }) => ({
        ...step,
        ...(isRepairable && { repair }),
      }));
      return printJson(io, { rack, steps: all, cron, exports, leftExport: left, report });
    }
    for (const { name, text, isRepairable } of wrong) {
      io.out(plain(`${name}: ${text || 'not checked'}`));
      if (isRepairable) io.out(`  ${repair}`);
    }
    for (const { name, text } of found.filter(({ state }) => state === 'ok')) {
      if (/^(hardware|changes)$/.test(name) && text !== '') io.out(plain(`${name}: ${text}`));
    }
    for (const line of cron) io.out(plain(`possible cron job of an existing system: ${line}`));
    for (const line of exports) io.out(plain(`possible NFS export of an existing system: ${line}`));
    if (left !== undefined) io.out(plain(left));
    if (report !== undefined) io.out(`report: ${report}`);
    if (wrong.length === 0) io.out(`${rack}: ${count(found.length, 'step')} checked, no problems`);
  });
}
