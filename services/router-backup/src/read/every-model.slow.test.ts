/** One rack with a device of each model, from the first run to a version that shows a change. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  account,
  type BackedUp,
  enablePassword,
  mark,
  proofsWith,
  startBackedUp,
} from '@skolo/equipment/models/proofs/testing';
import { lacks } from '@skolo/simulators';
import { expect, it, onTestFinished } from 'vitest';
import { type Lab, startLab } from '../testing/lab.ts';

const proven = proofsWith('backup');

it.for(proven)('$model is in what follows', ({ proof: { backup } }, { skip }) => {
  const why = 'needs' in backup ? lacks(...backup.needs) : undefined;
  if (why !== undefined) skip(why);
});

async function startAll(): Promise<Map<string, BackedUp>> {
  const started = new Map<string, BackedUp>();
  for (const { model } of proven) {
    const device = await startBackedUp(model);
    if (device === undefined) continue;
    onTestFinished(() => device.close());
    started.set(model, device);
  }
  return started;
}

/** That outlets of a PDU are switched needs it, whatever else is done there. */
const snmp = 'snmp: { version: 2c, community: password }';

function rackOf(started: ReadonlyMap<string, BackedUp>): string {
  const logins = [...started].map(([model, { login }]) =>
    login
      ? `  ${model}: { username: ${login.username}, privateKey: key-${model} }`
      : `  ${model}: { username: ${account.username}, password: password, enablePassword: enable, legacySsh: true, ${snmp} }`,
  );
  const entries = [...started].map(
    ([model, { port, entry }]) =>
      `  the-${model}: { model: ${model}, address: 127.0.0.1, ports: { ssh: ${port} }, login: ${model}${entry ? `, ${entry}` : ''} }`,
  );
  return `logins:\n${logins.join('\n')}\nequipment:\n${entries.join('\n')}\n`;
}

async function startRack(started: ReadonlyMap<string, BackedUp>): Promise<Lab> {
  return await startLab({
    isFake: false,
    yaml: rackOf(started),
    settings: '    concurrency: 4\n    jumphost: { backup: false }',
    async prepare(stateDir) {
      const file = (name: string, text: string) =>
        writeFile(join(stateDir, '..', name), `${text}\n`, { mode: 0o600 });
      await file('password', account.password);
      await file('enable', enablePassword);
      for (const [model, { login }] of started) {
        if (login) await file(`key-${model}`, login.privateKey);
      }
    },
  });
}

type Results = Record<string, unknown>;

/** What came of each model in a run. */
async function resultsOf(lab: Lab, run: Promise<{ equipment: Run[] }>): Promise<Results> {
  const { equipment } = await run;
  await lab.idle();
  return Object.fromEntries(
    equipment
      .filter((each) => each.equipment.startsWith('the-'))
      .map(({ equipment: name, result, detail, unsaved }) => [
        name.slice('the-'.length),
        [detail ?? result, unsaved],
      ]),
  );
}

interface Run {
  equipment: string;
  result?: string | undefined;
  detail?: string | undefined;
  unsaved?: boolean | undefined;
}

it('are all backed up by one service, and a change of each is one version', async () => {
  const started = await startAll();
  const all = (result: string, isChanged: boolean): Results =>
    Object.fromEntries(
      [...started].map(([model, { tellsUnsaved }]) => [
        model,
        [result, tellsUnsaved ? isChanged : undefined],
      ]),
    );
  const lab = await startRack(started);
  await lab.idle();
  const { backups } = await lab.admin.backups({ query: {} });
  const first = await resultsOf(lab, Promise.resolve(backups.at(-1) ?? { equipment: [] }));
  expect(first).toEqual(all('changed', false));

  // Until all that show a time show another one.
  const before = new Map([...started].map(([model, { shown }]) => [model, shown?.().toString()]));
  const same = () =>
    [...started].flatMap(([model, { shown }]) =>
      shown && shown().toString() === before.get(model) ? model : [],
    );
  await expect.poll(same).toEqual([]);
  const second = await resultsOf(lab, lab.run());
  expect(second).toEqual(all('unchanged', false));

  for (const { change } of started.values()) await change();
  const third = await resultsOf(lab, lab.run());
  expect(third).toEqual(all('changed', true));
  const fourth = await resultsOf(lab, lab.run());
  expect(fourth).toEqual(all('unchanged', true));

  for (const model of started.keys()) {
    const params = { equipment: `the-${model}` };
    const { diff } = await lab.operator.diff({ params, query: {} });
    const { versions } = await lab.admin.versions({ params, query: {} });
    const added = diff.split('\n').filter((line) => line.startsWith('+') && line.includes(mark));
    expect({ model, versions: versions.length, added: added.length > 0 }).toEqual({
      model,
      versions: 2,
      added: true,
    });
  }
});
