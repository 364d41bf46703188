/** What adb did on other people's computers, from public bug reports: behind the real client, or printed by a script in its place. */
import { chmod, rm, writeFile } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { tempDir } from '@skolo/base/testing';
import { type AndroidOptions, peer, startAdbServer } from '@skolo/simulators';
import { describe, expect, it, onTestFinished, type TestContext } from 'vitest';
import { missing, never, present, startLab, unreadable } from './testing/lab.ts';
import { programs } from './testing/programs.ts';

const serial = '0A041FDD4003BB';
const headline = "echo 'List of devices attached'";

/** The real client, but some of its calls do this instead; `first` runs only once. */
async function startWith(
  context: TestContext,
  phones: AndroidOptions[],
  { first = '', always = '' },
) {
  if (peer('adb') === undefined) return context.skip('adb is not installed');
  const path = process.env.PATH ?? '';
  const server = await startAdbServer({ phones });
  onTestFinished(() => server.close());
  const once = join(await tempDir(), 'once');
  const folder = await programs({
    adb: `if mkdir ${once} 2>/dev/null; then :; ${first}\nfi\n${always}\nPATH=${path}; exec adb "$@"`,
  });
  const lab = await startLab({
    ANDROID_ADB_SERVER_PORT: String(server.port),
    PATH: [folder, path].join(delimiter),
  });
  await lab.deps.run('adb', ['version'], { timeoutMs: 20_000 });
  await rm(once, { recursive: true, force: true });
  return { ...lab, server };
}

describe('one failed call is no verdict', () => {
  it.for([
    "echo 'error: protocol fault (could not read status): Connection reset by peer' >&2; exit 1",
    "echo 'adb server version (41) does not match this client (39); killing...'; exit 1",
    `${headline}; echo 'error: could not install *smartsocket* listener'; exit 0`,
    'kill -9 $$',
    'exit 0',
  ])('%s', async (first, context) => {
    const { open, ran } = await startWith(context, [{ serial }], { first });

    expect(await present(open())).toMatchObject({ serial });
    expect(ran.filter((command) => command === 'adb devices -l')).toHaveLength(2);
  });

  it('of a phone that is listed, either', async (context) => {
    const first = '';
    const always = `[ "$3" = shell ] && mkdir ${await tempDir()}/shell 2>/dev/null && { echo 'error: closed' >&2; exit 1; }`;
    const { open } = await startWith(context, [{ serial }], { first, always });

    expect(await present(open())).toMatchObject({ serial });
  });
});

describe('devices that cannot be listed are not missing', () => {
  it.for([
    [
      'echo "error: cannot connect to daemon" >&2; exit 1',
      /^adb: error: cannot connect to daemon$/,
    ],
    [`${headline}; echo 'error: protocol fault'; exit 0`, /^adb did not list devices: .*protocol/],
    ['echo garbage; exit 0', /^adb did not list devices: garbage$/],
    ['sleep 600', /^adb took longer than 1 s$/],
  ] as const)('%s', async ([list, reason]) => {
    const PATH = await programs({
      adb: `[ "$1" = devices ] || exit 0\nPATH=/usr/bin:/bin; ${list}`,
    });
    const { open, settings } = await startLab({ PATH, ANDROID_ADB_SERVER_PORT: '1' });
    if (list === 'sleep 600') settings.commandSeconds = 1;

    const { code, why } = await unreadable(open());

    expect(code).toBe('not-listed');
    expect(why).toMatch(reason);
  });

  it('a program that cannot be started is a fault of this computer', async () => {
    const PATH = await tempDir();
    await writeFile(join(PATH, 'adb'), '');
    await chmod(join(PATH, 'adb'), 0o644);
    const { open } = await startLab({ PATH, ANDROID_ADB_SERVER_PORT: '1' });

    expect(await unreadable(open())).toEqual({
      code: 'host-fault',
      why: 'adb cannot be run: EACCES',
    });
  });

  it('a server that was just started may list a phone on USB a moment later', async (context) => {
    const first = `[ "$1" = devices ] && { ${headline}; exit 0; }`;
    const { open, plugIn } = await startWith(context, [{ serial }], { first });
    await plugIn('1-1.2', { vendor: '18d1', product: '4ee7', serial, interfaces: ['ff/42/01'] });

    expect(await present(open())).toMatchObject({ serial });
  });

  it('a list that succeeded without the phone is a verdict', async (context) => {
    const { open, ran } = await startWith(context, [], {});

    expect(await missing(open({ serial }))).toMatch(/^not attached/);
    expect(ran.filter((command) => command === 'adb devices -l')).toHaveLength(1);
  });
});

describe('serial numbers', () => {
  it.for(['ZUG 5S', '0123456789 offline', 'device', ' GS1012'])(
    'may be %j',
    async (odd, context) => {
      const { open } = await startWith(context, [{ serial: odd }, { serial }], {});

      expect(await present(open({ serial: odd.trim() }))).toMatchObject({ serial: odd.trim() });
    },
  );

  it('that two phones share are told apart by their USB ports', async (context) => {
    const twin = '0123456789ABCDEF';
    const { open, server } = await startWith(
      context,
      [
        { serial: twin, usb: '1-1.2', model: 'pixel-6' },
        { serial: twin, usb: '1-1.3', model: 'galaxy-s24' },
      ],
      {},
    );
    const [left, right] = [2, 3].map((port) =>
      open({ name: `phone-${port}`, serial: twin, power: { hub: '1-1', port } }),
    );
    const alone = open({ serial: twin });
    if (left === undefined || right === undefined) throw new Error('no phones');

    expect((await present(left)).dimensions.device_type).toContain('oriole');
    expect((await present(right)).dimensions.device_type).toContain('e1s');
    expect(await unreadable(alone)).toEqual({
      code: 'rack-yaml',
      why: expect.stringMatching(
        /^2 devices have the serial number .* on USB port 1-1.2, .* on USB port 1-1.3\); set `power`/,
      ),
    });

    const [first, second] = server.phones.values();
    first?.unplug();
    expect(await missing(left)).toBe(
      `not attached to USB port 1-1.2; attached: ${twin} on USB port 1-1.3`,
    );

    first?.plugIn();
    await right.repairs['device-reboot']?.(never);
    const rebooted = [first, second].map((phone) =>
      phone?.received.some(({ text }) => text.startsWith('reboot:')),
    );
    expect(rebooted).toEqual([false, true]);
  });
});
