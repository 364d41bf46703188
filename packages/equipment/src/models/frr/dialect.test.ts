import { Secret } from '@skolo/base/secrets';
import { type CliSession, openCli } from '@skolo/equipment/transports';
import { deps, soon, target } from '@skolo/equipment/transports/testing';
import type { Frr } from '@skolo/simulators';
import { describe, expect, it, onTestFinished, type TestContext } from 'vitest';
import { frr } from './dialect.ts';
import { shareFrr } from './testing/shared-frr.ts';

const timeoutMs = 30_000;

const start = shareFrr();

async function open(context: TestContext): Promise<{ router: Frr; cli: CliSession }> {
  const router = await start(context);
  const { port, username, privateKey } = router;
  const where = target(port, { username, privateKey: new Secret(privateKey) });
  const cli = await openCli(where, 'ssh', frr, await deps(), soon());
  onTestFinished(() => cli.close());
  return { router, cli };
}

describe('FRRouting itself', () => {
  it('is configured and read', async (context) => {
    const { router, cli } = await open(context);
    const run = (command: string) => cli.run(command, { signal: soon(), timeoutMs });

    await run('configure terminal');
    for (let i = 0; i < 30; i++) await run(`ip route 10.1.${i}.0/24 Null0`);
    await run('route-map rm permit 10');
    await run('set metric 7');
    await run('end');
    const text = await cli.read('show running-config', { signal: soon(), timeoutMs });

    expect(`${text}\n`).toBe(await router.vtysh('show running-config'));
    expect(text.toString().match(/^ip route 10\.1\./gm)).toHaveLength(30);
  });

  it('rejects what it does not know, and the session goes on', async (context) => {
    const { cli } = await open(context);
    const run = (command: string) => cli.run(command, { signal: soon(), timeoutMs });

    await run('configure terminal');

    await expect(run('ip rout 10.1.0.0/33 Null0')).rejects.toThrow('% Unknown command');
    await expect(run('ip prefix-list x seq 5 permit 10.0.0.0/8 le 4')).rejects.toThrow(
      '% Configuration failed.',
    );
    await run('ip route 10.9.0.0/16 Null0');
    expect(await run('do show running-config')).toContain('ip route 10.9.0.0/16 Null0');
  });
});

describe('its prompts', () => {
  const base = frr.prompt.exec('rt-1#')?.groups?.base ?? '';
  const whole = new RegExp(`^(?:${frr.prompts(base)})$`);

  it.each(['rt-1#', 'rt-1(config)#', 'rt-1(config-router-af)#', 'rt-1>'])('%s', (line) => {
    expect(line).toMatch(whole);
  });

  it.each(['rt-2#', 'xrt-1#', 'rt-1 #', 'rt-1', '!rt-1#'])('but not %s', (line) => {
    expect(line).not.toMatch(whole);
  });
});
