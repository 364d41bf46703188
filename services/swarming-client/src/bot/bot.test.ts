import { writeFile } from 'node:fs/promises';
import { fakeClock } from '@skolo/common/testing';
import { lacks } from '@skolo/simulators/peer';
import { describe, expect, it } from 'vitest';
import { isAlive, newBot } from './testing/new-bot.ts';
import { python } from './testing/python.ts';
import { bots, stubZip } from './testing/stub-bot.ts';
import { givesZip } from './testing/stub-server.ts';

describe.skipIf(lacks('python3'))('a bot', () => {
  it('is downloaded, started, and ended in order', async () => {
    await using test = await newBot({ zip: { body: `print('hello', flush=True)\n${bots.idle}` } });

    test.start();
    await expect.poll(() => test.pid('bot.pid')).toBeGreaterThan(0);
    const { state, pid, server } = test.bot.view();
    await expect.poll(() => test.lines).toContainEqual({ stream: 'stdout', text: 'hello' });
    await test.bot.stop();

    expect({ state, pid, server }).toEqual({
      state: 'running',
      pid: test.pid('bot.pid'),
      server: test.server.url,
    });
    expect(test.exits).toEqual(['stopped']);
    expect(test.bot.view()).toMatchObject({ state: 'stopped', lastExit: { why: 'stopped' } });
    expect(test.counts()).toEqual({
      starts: 1,
      exits: new Map([['stopped', 1]]),
      downloads: { ok: 1, failed: 0 },
    });
    expect(isAlive(test.pid('bot.pid'))).toBe(false);
    expect(test.server.requests.map(({ path }) => path)).toEqual([
      '/bot_code',
      '/swarming/api/v1/bot/bot_code/abc',
    ]);
    for (const { headers } of test.server.requests) {
      expect(headers).toMatchObject({
        authorization: 'Bearer the-token',
        'x-luci-swarming-bot-id': 'machine-1',
      });
    }
  });

  it('gets a clean environment, its command line, and bot_init as its parent', async () => {
    const body = `import json
write('seen', json.dumps([dict(os.environ), os.getcwd(), open('/proc/self/cmdline').read(),
  open('/proc/%d/cmdline' % os.getppid()).read(), os.listdir('/proc/self/fd')]))
${bots.idle}`;
    const env = {
      PATH: process.env.PATH,
      HOME: '/home/x',
      MY_RACK_NAME: 'rack4',
      NODE_OPTIONS: '--inspect',
      SKOLO_TOKEN: 'secret',
      ANDROID_TOKEN: 'secret',
    };
    await using test = await newBot({ zip: { body }, env }, { reboot: 'reject' });

    test.start();
    await expect.poll(() => test.read('seen')).toBeDefined();

    const [seen, cwd, command, parent, open] = JSON.parse(test.read('seen') ?? '');
    expect(seen).toEqual({
      PATH: expect.stringMatching(/^\/\S+\/shim:/),
      HOME: '/home/x',
      MY_RACK_NAME: 'rack4',
      SWARMING_BOT_ID: 'machine-1',
      SWARMING_EXTERNAL_BOT_SETUP: '1',
      SKOLO_HOOK_URL: 'http://127.0.0.1:1',
      SKOLO_REBOOT: 'reject',
      SKOLO_AGENT_BOT: test.botDir,
      ...(seen.LC_CTYPE && { LC_CTYPE: seen.LC_CTYPE }),
    });
    expect(cwd).toBe(test.botDir);
    expect(command).toBe(`${python}\0${test.botDir}/swarming_bot.zip\0start_bot\0`);
    expect(parent).toContain('/bot_init.py\0');
    // The three usual ones, the zip or its lock, and the folder that is read.
    expect(open.length).toBeLessThanOrEqual(6);
  });

  it('is started again, and not downloaded again, also when the server is away', async () => {
    await using test = await newBot({ zip: { body: 'sys.exit(0)' } });
    test.start();
    await expect.poll(() => test.exits).toContain('ended');

    await test.server.stop();
    await expect.poll(() => test.counts().starts).toBeGreaterThan(2);

    expect(test.counts().downloads).toEqual({ ok: 1, failed: 0 });
  });

  it('waits longer each time, until it calls a hook', async () => {
    // Its clock stands still, and only a change of its settings ends a pause.
    await using test = await newBot(
      { zip: { body: 'sys.exit(3)' }, clock: fakeClock() },
      { backoffSeconds: { first: 1000, most: 100_000 } },
    );
    const { bot, server, botDir } = test;
    const pauseAfter = async (starts: number) => {
      await expect
        .poll(() => bot.view())
        .toMatchObject({ state: 'backing-off', failing: { starts } });
      const { nextStartAt, since } = bot.view();
      return ((nextStartAt?.getTime() ?? Number.NaN) - since.getTime()) / 1000;
    };

    test.start();
    for (const [earlier, most] of [1000, 2000, 4000, 8000].entries()) {
      const seconds = await pauseAfter(earlier + 1);
      expect(seconds).toBeGreaterThanOrEqual(most / 2);
      expect(seconds).toBeLessThanOrEqual(most);
      expect(bot.view().lastExit?.text).toMatch(/^failed after \d+ s \(status 3\)/);
      if (earlier < 3) bot.settingsChanged();
    }
    server.answer = givesZip(stubZip({ server: server.url }));
    await writeFile(`${botDir}/swarming_bot.zip`, '');
    bot.settingsChanged();
    await expect.poll(() => bot.view().state).toBe('running');
    bot.hookCalled('get_state');
    expect(bot.view().isHealthy).toBe(true);
    process.kill(bot.view().pid ?? Number.NaN, 'SIGKILL');
    expect(await pauseAfter(1)).toBeLessThanOrEqual(1000);
  });

  it('waits for its settings', async () => {
    await using test = await newBot({ zip: {} });
    const { current } = test.settings;
    test.settings.current = undefined;

    test.start();
    await expect.poll(() => test.bot.view().state).toBe('waiting');
    test.settings.current = current;

    await expect.poll(() => test.bot.view().state).toBe('running');
  });

  it('reports how it ended', async () => {
    const body = `n = len([f for f in os.listdir('.') if f.startswith('run')])
write('run%d' % n, '')
if n == 0: sys.exit('ImportError: no module')
if n == 1: os.kill(os.getpid(), signal.SIGKILL)
if n == 2:
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    os.kill(os.getpid(), signal.SIGTERM)
${bots.idle}`;
    await using test = await newBot({ zip: { body } });
    const texts: string[] = [];
    test.onChange(() => {
      const { text } = test.bot.view().lastExit ?? {};
      if (text !== undefined && text !== texts.at(-1)) texts.push(text);
    });

    test.start();
    await expect.poll(() => texts.length).toBe(3);

    expect(test.exits).toEqual(['failed', 'killed', 'rebooted']);
    expect(texts).toEqual([
      expect.stringMatching(/^failed after \d+ s \(status 1\): ImportError: no module$/),
      expect.stringMatching(/^killed after \d+ s \(signal 9\)/),
      expect.stringMatching(/^rebooted after \d+ s \(signal 15\)/),
    ]);
  });

  it('keeps its pid when it updates itself', async () => {
    const body = `runs = (sys.argv[2:] or ['0'])[0]
write('updated', runs)
if runs != '3': os.execv(sys.executable, [sys.executable, zip_file, 'start_bot', str(int(runs) + 1)])
${bots.idle}`;
    await using test = await newBot({ zip: { body } });

    test.start();
    await expect.poll(() => test.read('updated')).toBe('3');

    expect(test.bot.view()).toMatchObject({
      state: 'running',
      starts: 1,
      pid: test.pid('bot.pid'),
    });
    expect(test.exits).toEqual([]);
  });

  it('passes on lines of any length, and what is no text', async () => {
    const body = `sys.stdout.buffer.write(b'a' * 200000 + b'\\nb\\xff\\r\\n')
sys.stdout.flush()
sys.stderr.write('no end')
sys.stderr.flush()
${bots.idle}`;
    await using test = await newBot({ zip: { body } });

    test.start();
    await expect.poll(() => test.lines.map(({ text }) => text)).toContain('b\ufffd');
    await test.bot.stop();

    const long = test.lines.filter(({ text }) => /^a+$/.test(text));
    expect(long.map(({ text }) => text.length)).toEqual([65_536, 65_536, 65_536, 3392]);
    expect(test.lines).toContainEqual({ stream: 'stderr', text: 'no end' });
  });

  it('is restarted when its settings change, also in another folder', async () => {
    await using test = await newBot({ zip: {} });
    await using other = await newBot({ zip: {} });
    await test.running();
    const before = test.bot.view().pid;

    test.settings.current &&= { ...test.settings.current, server: other.server.url };

    await expect.poll(() => test.bot.view()).toMatchObject({ state: 'running', starts: 2 });
    expect(test.bot.view()).toMatchObject({ server: other.server.url });
    expect(test.bot.view().pid).not.toBe(before);
    expect(other.server.requests.length).toBe(2);
    expect(test.exits).toEqual(['stopped']);

    const second = test.bot.view().pid ?? Number.NaN;
    test.settings.current &&= { ...test.settings.current, botDir: `${test.folder}/t` };

    await expect.poll(() => test.bot.view()).toMatchObject({ state: 'running', starts: 3 });
    expect(isAlive(second)).toBe(false);
  });
});
