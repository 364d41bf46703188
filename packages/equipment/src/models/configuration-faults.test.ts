/** A simulated switch whose configuration arrives with faults: all of it is read, or an error says what was wrong. */

import { isLong } from '@skolo/base/durable/fault-injection';
import { Secret } from '@skolo/base/secrets';
import type { CliSession } from '@skolo/equipment/transports';
import {
  AnswerCut,
  DeviceRejected,
  DeviceTimeout,
  DeviceUnreachable,
  openCli,
} from '@skolo/equipment/transports';
import {
  deps,
  password,
  soon,
  target,
  testHostKey,
  user,
} from '@skolo/equipment/transports/testing';
import {
  type CliDevice,
  type DeviceFault,
  startCiscoIos,
  startEdgeSwitch,
} from '@skolo/simulators';
import { describe, expect, it, onTestFinished } from 'vitest';
import { ciscoIos } from './cisco-ios/dialect.ts';
import { fastpath } from './families/fastpath/fastpath.ts';
import { hugeBytes } from './testing/every-fault.ts';

const signal = soon();
const enablePassword = new Secret('second');
const show = 'show running-config';

const devices = (['ssh', 'telnet'] as const).flatMap((transport) => [
  { name: `EdgeSwitch over ${transport}`, dialect: fastpath, transport, start: startEdgeSwitch },
  { name: `Cisco switch over ${transport}`, dialect: ciscoIos, transport, start: startCiscoIos },
]);

/** Each kind of switch, over each transport. */
const sample = devices.filter(
  ({ start, transport }) => isLong || (start === startEdgeSwitch) === (transport === 'telnet'),
);

describe.each(sample)('$name', ({ dialect, transport, start }) => {
  /** The content without faults, and a session with one. */
  async function open(faults: readonly DeviceFault[] = []) {
    const device: CliDevice = await start({
      hostKey: testHostKey(),
      username: user,
      password,
      enablePassword: 'second',
      telnetPort: 0,
      secondMs: 2,
    });
    onTestFinished(() => device.close());
    const whole = await read(await connect(device));
    device.faults.slowMs = 50;
    for (const fault of faults) device.faults.set(fault);
    return { device, cli: await connect(device), whole };
  }

  async function connect(device: CliDevice): Promise<CliSession> {
    const port = transport === 'telnet' ? (device.telnetPort ?? 0) : device.port;
    const to = target(port, { enablePassword });
    const cli = await openCli(to, transport, dialect, await deps(), signal);
    onTestFinished(() => cli.close());
    return cli;
  }

  function read(cli: CliSession, idleMs = 60_000): Promise<Buffer> {
    return cli.read(show, { signal, timeoutMs: 240_000, idleMs });
  }

  it.each([
    'password-twice',
    'long-banner',
    'trickles',
    'odd-line-ends',
    'pager-stays',
    'slow',
  ] as const)('gives the same with %s', async (fault) => {
    const { cli, whole } = await open([fault]);

    expect(lasting(await read(cli))).toBe(lasting(whole));
  });

  it('gives control characters as they are, also through a pager', async () => {
    const { cli, device } = await open(['control-bytes']);
    const plain = await read(cli);
    device.faults.set('pager-stays');
    const paged = await read(await connect(device));

    const line = 'red \x1b[31mport\x1b[0m, a\rb, c\b\bd, e\0f, \x07\n';
    expect(plain.toString('latin1')).toContain(`\n${line}`);
    expect(lasting(paged)).toBe(lasting(plain));
  });

  it.each(['log-lines-between', 'log-inside-line', 'line-like-log'] as const)(
    'takes nothing out for its looks: %s',
    async (fault) => {
      const { cli } = await open([fault]);

      const lines = (await read(cli)).toString().split('\n');

      const isLog = (line: string) => dialect.noise.some((pattern) => pattern.test(line));
      expect(lines.filter(isLog)).toHaveLength(fault === 'line-like-log' ? 1 : 3);
    },
  );

  it('gives bytes that are no text', async () => {
    const { cli, whole } = await open(['odd-bytes']);

    const seen = await read(cli);

    expect(seen.length).toBeGreaterThan(whole.length);
    expect(seen.includes(Buffer.from('caf\xe9 \xff\x80 4.OG', 'latin1'))).toBe(true);
  });

  it(`gives ${hugeBytes / 1024} KiB`, async () => {
    const { cli, device } = await open();
    device.faults.hugeBytes = hugeBytes;
    device.faults.set('huge-configuration');

    expect((await read(cli)).length).toBeGreaterThan(hugeBytes);
  });

  it('is not cut at its prompt', async () => {
    const { cli, whole } = await open(['prompt-in-configuration']);

    const seen = await read(cli).catch((error: unknown) => error);

    if (seen instanceof Error) expect(seen).toBeInstanceOf(AnswerCut);
    else expect(String(seen).length).toBeGreaterThan(whole.length);
  });

  it.each([
    ['drops-mid-configuration', DeviceUnreachable],
    ['error-text', DeviceRejected],
  ] as const)('gives nothing with %s', async (fault, error) => {
    const { cli } = await open([fault]);

    await expect(read(cli)).rejects.toBeInstanceOf(error);
  });

  it('gives nothing where the device falls silent', async () => {
    const { cli, device } = await open();
    device.faults.set('wedged');

    await expect(read(cli, 300)).rejects.toBeInstanceOf(DeviceTimeout);
  });

  it('gives nothing where nothing comes', async () => {
    const { cli } = await open(['empty-answer']);

    expect((await read(cli)).toString().trim()).toBe('');
  });
});

/** Without volatile lines. */
function lasting(configuration: Buffer): string {
  return configuration
    .toString()
    .replace(/^.*(?:System Up Time|Last configuration|clock-period).*\n/gm, '');
}
