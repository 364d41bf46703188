import { describe, expect, it } from 'vitest';
import { parseFlags, usage } from './flags.ts';

describe('the flags', () => {
  it('have working defaults', () => {
    expect(parseFlags(['--machine', 'rpi-1'], {})).toEqual({
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

  it('go before the environment, which goes before the defaults', () => {
    const env = {
      SKOLO_MACHINE: 'RPI-2',
      SKOLO_HOOK_PORT: '1',
      SKOLO_POWER_CYCLE_PORT: '30010',
      SKOLO_PORT: '',
      SKOLO_HOST: '::1',
    };
    expect(parseFlags(['--hook-port', '2'], env)).toMatchObject({
      machine: 'rpi-2',
      hookPort: 2,
      powerCyclePort: 30_010,
      port: 11_001,
      host: '::1',
    });
  });

  it.each([
    [['--machine', '-x'], '--machine needs a value: --machine NAME'],
    [['--machine', 'a b'], '--machine: "a b" is not the name of a machine'],
    [['--metadata-url', 'metadata'], /--metadata-url: metadata is not a URL/],
    [['--metadata-url', 'ftp://metadata'], /is not a URL/],
    [['--hook-port', '70000'], /--hook-port: 70000 is not a port/],
    [['--power-cycle-port', 'x'], /--power-cycle-port: x is not a port/],
    [['--whatever'], 'unknown flag --whatever'],
  ])('%j: says what is wrong', (args, message) => {
    expect(() => parseFlags(args, { SKOLO_MACHINE: 'rpi-1' })).toThrow(message);
  });

  it('are listed by --help', () => {
    expect(parseFlags(['--help'], {})).toBe('help');
    expect(usage()).toContain('--metadata-url URL');
  });
});
