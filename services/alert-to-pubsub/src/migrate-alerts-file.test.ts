/** The state of version 0.1 had the known alerts in a file of its own. */
import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { type Lab, startLab } from './testing/lab.ts';

const alert = (name: string) => ({ labels: { alertname: 'Old', name } });
const names = async (lab: Lab) => (await lab.alerts()).map(({ labels }) => labels.name).sort();

/** Two alerts are known, one of which the spool no longer has. */
async function ofVersion01(): Promise<Lab> {
  const lab = await startLab({});
  await lab.post(alert('a'), alert('b'));
  await expect.poll(() => lab.arrived().length).toBe(2);
  const known = (await lab.alerts()).length;
  expect(known).toBe(2);
  await lab.stop();
  const [segment = ''] = (await readdir(join(lab.stateDir, 'spool'))).filter((name) =>
    name.endsWith('.spool'),
  );
  const lines = (await readFile(join(lab.stateDir, 'spool', segment), 'utf8')).split('\n');
  const messages = lines.flatMap((line) => {
    const text = /^[0-9a-f]{8} \d+ (.*)$/.exec(line)?.[1];
    return text === undefined ? [] : [JSON.parse(text)];
  });
  const alerts = messages.map(({ id: _, kind: __, at: ___, ...rest }) => ({
    ...rest,
    silentMs: 1e9,
  }));
  await writeFile(join(lab.stateDir, 'alerts.json'), JSON.stringify({ next: 3, alerts }));
  await rm(join(lab.stateDir, 'spool', 'snapshot'), { force: true });
  return lab;
}

it('takes the known alerts over, once', async () => {
  const lab = await ofVersion01();

  const again = await startLab({ former: lab });
  expect(await names(again)).toEqual(['a', 'b']);
  await again.stop();
  expect(await readdir(lab.stateDir)).toContain('alerts.json.0.1');
  expect(await readdir(lab.stateDir)).not.toContain('alerts.json');
  const third = await startLab({ former: lab });

  expect(await names(third)).toEqual(['a', 'b']);
  expect(third.logged().filter(({ msg }) => msg === 'snapshot is damaged')).toEqual([]);
});

it('starts without them where the file cannot be read', async () => {
  const lab = await ofVersion01();
  await writeFile(join(lab.stateDir, 'alerts.json'), '{"next":3,');

  const again = await startLab({ former: lab });

  // The spool has them.
  expect(await names(again)).toEqual(['a', 'b']);
});
