import { Secret } from '@skolo/base/secrets';
import { type CliSession, openCli } from '@skolo/equipment/transports';
import { deps, soon, target } from '@skolo/equipment/transports/testing';
import { startEdgeos, startVyos, type VyattaDevice } from '@skolo/simulators';
import { describe, expect, it, onTestFinished } from 'vitest';
import { vyatta } from './dialect.ts';

const account = { username: 'admin', password: 'r0uter' };

const kinds = [
  { name: 'EdgeOS', start: startEdgeos },
  { name: 'VyOS', start: startVyos },
];

describe.each(kinds)('$name in configuration mode', ({ start }) => {
  async function open(): Promise<{ router: VyattaDevice; cli: CliSession; run: Run }> {
    const router = await start(account);
    onTestFinished(() => router.close());
    const { username } = account;
    const where = target(router.port, { username, password: new Secret(account.password) });
    const cli = await openCli(where, 'ssh', vyatta, await deps(), soon());
    onTestFinished(() => cli.close());
    return { router, cli, run: (command) => cli.run(command, { signal: soon() }) };
  }

  it('changes, compares, and commits with a way back', async () => {
    const { router, cli, run } = await open();

    await run('configure');
    await run('set system host-name other');
    const compared = await run('compare');
    const committed = await run('commit-confirm 5');
    const pending = router.isConfirmPending();
    await run('confirm');
    const saved = await run('save');
    await run('exit');
    await cli.close();

    expect(compared).toMatch(/^\[edit system\]\n-host-name \S+\n\+host-name other$/);
    expect(committed).toContain('Proceed');
    expect([pending, router.isConfirmPending()]).toEqual([true, false]);
    expect(saved).toMatch(/Saving configuration .*\nDone$/);
    expect(router.startup().toString()).toMatch(/host-name "?other"?\n/);
    await expect.poll(() => router.sessions.now).toBe(0);
  });

  it('says what it rejects', async () => {
    const { run } = await open();
    await run('configure');

    await expect(run('set nonsense')).rejects.toThrow('is not valid');
    await expect(run('load /tmp/none')).rejects.toThrow('Cannot open configuration file');
    await expect(run('confirm')).rejects.toThrow('No confirm pending');
    await expect(run('frobnicate')).rejects.toThrow('Invalid command');
    expect(await run('compare')).toBe('No changes between working and active configurations');
  });

  it('gives up what is not committed when it is left', async () => {
    const { router, cli, run } = await open();
    const before = router.running();

    await run('configure');
    await run('set system host-name other');
    await cli.close();

    await expect.poll(() => router.sessions.now).toBe(0);
    expect(router.running()).toEqual(before);
    expect(router.received.at(-1)?.text).toBe('exit');
  });

  it('has its prompt in its configuration', async () => {
    const { router, cli, run } = await open();
    router.faults.set('prompt-in-configuration');

    await run('configure');
    const text = await cli.read('show', { signal: soon() });

    expect(text.toString()).toContain('host-name');
  });
});

type Run = (command: string) => Promise<string>;
