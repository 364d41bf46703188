import { parseFlags } from '@skolo/common/light';
import { expect, it } from 'vitest';
import { agentFlags } from './flags.ts';

const parse = (args: string[], env: Record<string, string> = {}) =>
  parseFlags(agentFlags, args, env);

it('have working defaults', () => {
  expect(parse(['--machine', 'rpi-1'])).toEqual({
    machine: 'rpi-1',
    rackFile: undefined,
    metadataUrl: 'http://metadata',
    port: 11_001,
    hookPort: 11_000,
    powerCyclePort: undefined,
    metricsPort: 20_014,
    host: undefined,
    stateDir: '/var/lib/skolo/swarming-client',
    logLevel: 'info',
    check: false,
  });
});

it('are in the environment, too', () => {
  const env = { SKOLO_MACHINE: 'RPI-2', SKOLO_HOOK_PORT: '1', SKOLO_POWER_CYCLE_PORT: '30010' };

  expect(parse([], env)).toMatchObject({ machine: 'rpi-2', hookPort: 1, powerCyclePort: 30_010 });
});

it.each([
  [['--machine', 'a b'], '--machine: "a b" is not a machine name'],
  [['--metadata-url', 'metadata'], /--metadata-url: metadata is not a URL/],
  [['--metadata-url', 'ftp://metadata'], /is not a URL/],
  [['--hook-port', '70000'], /--hook-port: 70000 is not a port/],
  [['--power-cycle-port', 'x'], /--power-cycle-port: x is not a port/],
])('%j: says what is wrong', (args, message) => {
  expect(() => parse(args, { SKOLO_MACHINE: 'rpi-1' })).toThrow(message);
});
