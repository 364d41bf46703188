import type { EnrolledPi, EnrolmentSecret, RevokedPi, WaitingPi } from '@skolo/api';
import type { SkoloCommand } from '../../command.ts';
import { printJson } from '../../io.ts';
import { type Column, printTable } from '../../output/table.ts';
import { cutOff, plain } from '../../output/text.ts';
import { age, timestamp } from '../../output/time.ts';
import { enrolmentService, shortKey } from './enrolment.ts';

interface Options {
  enrolled?: true;
  revoked?: true;
  secrets?: true;
  json?: true;
}

/** `skolo pi waiting`: lists Pis that ask for their identity. */
export function define(command: SkoloCommand): void {
  command
    .description(
      'Lists the Raspberry Pis whose enrolment is pending, with the reasons. To give a Pi a name, use skolo pi adopt. A Pi can forge the data that it reports about itself, so first check which Pi it is. Pis that have not sent a request in the last hour are not listed.',
    )
    .summary('list pending enrolments')
    .option('--enrolled', 'list Pis that have received a name')
    .option('--revoked', 'list SD cards with revoked keys')
    .option(
      '--secrets',
      'list the enrolment secrets of shared images; to revoke one, use skolo pi revoke',
    )
    .option('--json', 'print JSON')
    .uses('rack', 'url', 'tokenFile')
    .example('skolo pi waiting');

  command.action(async ({ enrolled, revoked, secrets, json }: Options) => {
    const { io } = command;
    const service = enrolmentService(command);
    const all = await service.ask((client) => client.enrolments());
    if (json) return printJson(io, all);
    if (enrolled) return printTable(io, enrolledColumns, all.enrolled);
    if (revoked) return printTable(io, revokedColumns, all.revoked);
    if (secrets) return printTable(io, secretColumns, all.secrets);
    if (all.waiting.length === 0) return io.err('no pending enrolments');
    printTable(io, waitingColumns(io.now()), all.waiting);
    return io.err('to name one, run skolo pi adopt SERIAL NAME');
  });
}

/** Pis are not trusted: every text is short and on one line. */
const cell = (text: string) => cutOff(plain(text), 60);

function waitingColumns(now: number): Column<WaitingPi>[] {
  return [
    { title: 'SERIAL', cell: ({ serial }) => serial },
    { title: 'KEY', cell: ({ key }) => shortKey(key) },
    { title: 'MAC', cell: ({ macs }) => macs },
    { title: 'MODEL', cell: ({ model }) => cell(model) },
    { title: 'FROM', cell: ({ from }) => from },
    { title: 'SINCE', cell: ({ since }) => age(since, now) },
    { title: 'WHY', cell: ({ why }) => cutOff(plain(why), 200) },
  ];
}

const enrolledColumns: Column<EnrolledPi>[] = [
  { title: 'NAME', cell: ({ name }) => name },
  { title: 'SERIAL', cell: ({ serial }) => serial },
  { title: 'KEY', cell: ({ key }) => shortKey(key) },
  { title: 'MAC', cell: ({ macs }) => macs },
  { title: 'SINCE', cell: ({ at }) => timestamp(at) },
  { title: 'BY', cell: ({ by }) => (by === undefined ? 'rack.yaml' : cell(by)) },
];

const revokedColumns: Column<RevokedPi>[] = [
  { title: 'KEY', cell: ({ key }) => shortKey(key) },
  { title: 'NAME', cell: ({ name = '' }) => name },
  { title: 'SERIAL', cell: ({ serial = '' }) => serial },
  { title: 'REVOKED', cell: ({ at }) => timestamp(at) },
  { title: 'BY', cell: ({ by }) => cell(by) },
];

const secretColumns: Column<EnrolmentSecret>[] = [
  { title: 'ID', cell: ({ id }) => id },
  { title: 'MADE', cell: ({ at }) => timestamp(at) },
  { title: 'BY', cell: ({ by }) => cell(by) },
  { title: 'EXPIRES', cell: ({ expires }) => timestamp(expires) },
];
