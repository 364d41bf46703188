/** Equipment that only a description in rack.yaml explains: secrets, also after it has changed or gone, volatile lines, and messages. */
import type { CreateBackup } from '@skolo/equipment/models/backup';
import { loadBackups } from '@skolo/equipment/models/load';
import { describe, expect, it } from 'vitest';
import { FakeDevices } from '../testing/fake-device.ts';
import { type Lab, startLab } from '../testing/lab.ts';

const generic = (await loadBackups()).get('generic');

/** Their answers are those of memory; what they mean is up to their descriptions. */
class DescribedDevices extends FakeDevices {
  override models(): ReadonlyMap<string, CreateBackup> {
    const fake = super.models('generic').get('generic');
    if (fake === undefined || generic === undefined) throw new TypeError('no model');
    return new Map([
      [
        'generic',
        (device) => {
          const { doubt, incomplete, secrets, volatile } = generic(device);
          return { ...fake(device), doubt, incomplete, secrets, volatile };
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
  odd-1: { model: generic, address: 127.0.2.1, commands: [show], has: '^mtu ', volatile: ['^time', '(a+)+$'] }
`,
  });
  await lab.run('odd-1');

  devices.get('odd-1').text = text(9000);
  const run = await lab.run('odd-1');

  expect(run.equipment).toMatchObject([{ result: 'failed', failure: 'timeout' }]);
  expect(await lab.device('odd-1')).toMatchObject({
    detail: expect.stringContaining('the regular expression /(a+)+$/ takes too long'),
    versions: 1,
  });
});

describe('a message that the equipment repeats', () => {
  const message = 'The configuration is locked by ann.\n';
  const whole = 'vlan 1\nvlan 2\nvlan 3\nvlan 4\nvlan 5\n';
  const described = (keys: string) => `equipment:
  odd-1: { model: generic, address: 127.0.2.1, commands: [show]${keys} }
`;

  async function startWith(keys: string, text: string) {
    const devices = new DescribedDevices();
    devices.get('odd-1').text = text;
    const lab = await startLab({ devices, yaml: described(keys) });
    return { lab, odd: devices.get('odd-1'), run: await lab.run('odd-1') };
  }

  it('is not a first version, and its successor is', async () => {
    const { lab, odd, run } = await startWith('', message);

    odd.text = whole;
    const next = await lab.run('odd-1');

    const [failed] = run.equipment;
    expect(failed).toMatchObject({ result: 'failed', failure: 'rejected' });
    expect(failed?.detail).toContain(
      'it looks like a message: "The configuration is locked by ann."; nothing shows that it is a configuration',
    );
    expect(next.equipment).toMatchObject([{ result: 'changed' }]);
    expect(await lab.device('odd-1')).toMatchObject({
      state: 'ok',
      versions: 1,
      doubt: expect.stringContaining('its description has neither `has` nor'),
    });
  });

  it('is not a later version', async () => {
    const { lab, odd } = await startWith('', whole);

    odd.text = 'The configuration is locked by ann.\nTry again.\n';
    const { equipment } = await lab.run('odd-1');
    odd.text = whole.replace('vlan 5\n', 'vlan 5\nvlan 6\n');
    const next = await lab.run('odd-1');

    expect(equipment).toMatchObject([{ result: 'failed', failure: 'rejected' }]);
    expect(equipment[0]?.detail).toContain('it looks like a message: "The configuration is locked');
    expect(next.equipment).toMatchObject([{ result: 'changed' }]);
    expect(await lab.device('odd-1')).toMatchObject({ state: 'ok', versions: 2 });
  });

  it('is never a version if `has` names a line of each configuration', async () => {
    const { lab, odd } = await startWith(", has: '^vlan '", whole);

    odd.text = message.repeat(20);
    const { equipment } = await lab.run('odd-1');

    expect(equipment).toMatchObject([{ result: 'failed', failure: 'incomplete' }]);
    const status = await lab.device('odd-1');
    expect(status).toMatchObject({ versions: 1 });
    expect(status.doubt).toBeUndefined();
  });

  it('is stored with a warning if it is long, and nobody has verified such a line', async () => {
    const { lab, odd } = await startWith(", has: { manual: '^vlan ' }", message.repeat(20));
    const warned = await lab.device('odd-1');

    odd.text = whole.repeat(100);
    await lab.run('odd-1');

    expect(warned).toMatchObject({ state: 'ok', versions: 1 });
    expect(warned.doubt).toContain('no line matches /^vlan /, which is from a manual');
    expect((await lab.device('odd-1')).doubt).toBeUndefined();
  });

  it('may be short if it contains such a line', async () => {
    const { lab } = await startWith(", has: { manual: '^vlan ' }", 'vlan 1\n');

    expect(await lab.device('odd-1')).toMatchObject({ state: 'ok', versions: 1 });
  });
});
