/** `skolo secrets check`: checks whether values grant the access that they should. */

import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { count } from '@skolo/base';
import { HostKeys } from '@skolo/equipment';
import type { SkoloCommand } from '../../command.ts';
import { exitCodes } from '../../errors.ts';
import { printJson } from '../../io.ts';
import { type Column, printTable } from '../../output/table.ts';
import { openJumphostOf } from '../../reach/racks.ts';
import { userFolder } from '../../workstation/workstation-files.ts';
import { openSecrets, readValues } from './open-secrets.ts';

interface Options {
  offline?: true;
  json?: true;
}

interface Row {
  name: string;
  what: string;
  state: 'ok' | 'opens' | 'rejected' | 'failed' | 'wrong' | 'missing' | 'unknown';
  why?: string | undefined;
}

export function define(command: SkoloCommand): void {
  command
    .description(
      "Checks that each value in the store has the correct format, has not expired, and works. The command connects through the jumphost, signs in to each device and machine over SSH, Telnet, HTTP or SNMP, and reads an outlet's state or the configuration. To test service account keys, it requests Google tokens directly from your workstation. The exit code is 3 if there is a problem.",
    )
    .summary('check that secrets are valid and work')
    .argument('<rack>', 'name of the rack')
    .option('--offline', 'check only the values, without signing in to devices')
    .option('--json', 'print JSON')
    .uses('clusters')
    .example('skolo secrets check rack4');

  command.interruptible(async (signal, rackName: string, { offline, json }: Options) => {
    const { io } = command;
    const open = await openSecrets(command, rackName);
    const { rack, secrets } = open;
    const values = await readValues(open, signal);
    const { checkSignIns, contentFault } = await import('@skolo/secret-store/check');
    const rows: Row[] = [];
    for (const secret of secrets) {
      const { name, kind } = secret;
      const value = values.get(name);
      const given = { rack, secrets, values, now: io.now() };
      const why = value && (await contentFault(secret, value, given));
      const state = why === undefined ? 'ok' : 'wrong';
      rows.push({ name, what: kind, state: value === undefined ? 'missing' : state, why });
    }
    if (!offline) {
      const jumphost = await openJumphostOf(command, open.fleetRack);
      const hostKeys = await workstationHostKeys(command, rackName);
      const found = await checkSignIns({
        rack,
        secrets,
        values,
        hostKeys,
        signal,
        now: io.now,
        dial: jumphost.connect,
        datagrams: jumphost.datagrams,
        scratch: await stateFolder(command),
      });
      for (const { secrets: names, what, state, why } of found) {
        rows.push({ name: names.join(','), what, state, why });
      }
    }
    const bad = rows.filter(({ state }) => !isGood.has(state)).length;
    if (bad > 0) io.exitCode = exitCodes.partlyFailed;
    if (json) return printJson(io, { rack: rackName, checks: rows });
    printTable(io, columns, rows);
    const unknown = rows.filter(({ state }) => state === 'unknown').length;
    io.out('');
    io.out(
      `${count(rows.length, 'check')}: ${bad} failed, ${unknown} not possible from a workstation`,
    );
  });
}

const isGood: ReadonlySet<Row['state']> = new Set(['ok', 'opens', 'unknown']);

const columns: readonly Column<Row>[] = [
  { title: 'NAME', cell: ({ name }) => name.split(','), shrinkTo: 12 },
  { title: 'WHAT', cell: ({ what }) => what, shrinkTo: 12 },
  {
    title: 'STATE',
    cell: ({ state }) => state,
    style: ({ state }) => (isGood.has(state) ? undefined : 'red'),
  },
  { title: 'WHY', cell: ({ why }) => why, shrinkTo: 20 },
];

/** Device keys that this workstation has seen. rack.yaml may pin others. */
export async function workstationHostKeys(command: SkoloCommand, rack: string): Promise<HostKeys> {
  const keys = new HostKeys(join(await stateFolder(command), `${rack}.json`), command.io.now);
  await keys.load();
  return keys;
}

async function stateFolder({ io }: SkoloCommand): Promise<string> {
  const folder = join(userFolder(io.env, 'XDG_STATE_HOME'), 'skolo', 'host-keys');
  await mkdir(folder, { recursive: true, mode: 0o700 });
  return folder;
}
