/** Secrets that only a description in rack.yaml names, after it has changed or gone, and volatile lines. */
import type { CreateBackup } from '@skolo/equipment/models/backup';
import { loadBackups } from '@skolo/equipment/models/load';
import { expect, it } from 'vitest';
import { FakeDevices } from '../testing/fake-device.ts';
import { type Lab, startLab } from '../testing/lab.ts';

const generic = (await loadBackups()).get('generic');

/** Their answers are those of memory; what is masked and what is volatile is up to their descriptions. */
class DescribedDevices extends FakeDevices {
  override models(): ReadonlyMap<string, CreateBackup> {
    const fake = super.models('generic').get('generic');
    if (fake === undefined || generic === undefined) throw new TypeError('no model');
    return new Map([
      [
        'generic',
        (device) => {
          const { secrets, volatile } = generic(device);
          return { ...fake(device), secrets, volatile };
        },
      ],
    ]);
  }
}

/** Longer than other lines of a commit may be. */
const more = ["'", 'y'.repeat(900), "', '", 'z'.repeat(900), "'"].join('');

function odd(secret: string): string {
  return `  odd-1: { model: generic, address: 127.0.2.1, prompt: '#$', commands: [show], complete: { end: '^end$' }, secret: ['${secret}', ${more}] }
`;
}

const other = `equipment:
  odd-2: { model: generic, address: 127.0.2.2, prompt: '#$', commands: [show], complete: { end: '^end$' }, backup: false }
`;

async function shown({ operator }: Lab): Promise<string> {
  const params = { equipment: 'odd-1', version: 'latest' };
  const { bytes } = await operator.content({ params, query: {} });
  return Buffer.from(bytes).toString();
}

it('secrets are masked in the version that they were stored with', async () => {
  const devices = new DescribedDevices();
  devices.get('odd-1').text = 'hostname odd-1\nphrase joker-of-odd\nend\n';
  const described = `${other}${odd('^phrase (.*)')}`;
  const lab = await startLab({ devices, yaml: described });
  await lab.run('odd-1');
  const first = await shown(lab);

  await lab.edit(`${other}${odd('^word (.*)')}`);
  const changed = await shown(lab);
  await lab.edit(other);
  const removed = await shown(lab);
  await lab.stop();
  const next = await startLab({ devices, yaml: other, previous: lab });

  for (const text of [first, changed, removed, await shown(next)]) {
    expect(text).toMatch(/^hostname odd-1\nphrase <secret \w+>\nend\n$/);
  }
});

it('rules for volatile lines that take too long fail the backup, and are named', async () => {
  const devices = new DescribedDevices();
  const text = (mtu: number) => `${'a'.repeat(60)}!\nmtu ${mtu}\nend\n`;
  devices.get('odd-1').text = text(1500);
  const lab = await startLab({
    devices,
    yaml: `equipment:
  odd-1: { model: generic, address: 127.0.2.1, commands: [show], volatile: ['^time', '(a+)+$'] }
`,
  });
  await lab.run('odd-1');

  devices.get('odd-1').text = text(9000);
  const run = await lab.run('odd-1');

  expect(run.equipment).toMatchObject([{ result: 'failed', failure: 'rejected' }]);
  expect(await lab.device('odd-1')).toMatchObject({
    detail: expect.stringContaining('the regular expression "(a+)+$" takes too long'),
    versions: 1,
  });
});
