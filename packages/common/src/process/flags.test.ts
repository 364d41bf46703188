import { describe, expect, it } from 'vitest';
import { parseFlags, UsageError, usageOf } from './flag-table.ts';
import { serviceFlags } from './flags.ts';

const defaults = {
  rackFile: '/etc/skolo/rack.yaml',
  port: 8003,
  metricsPort: 20_011,
  host: undefined,
  stateDir: '/var/lib/skolo/router-backup',
  runtimeDir: '/run/skolo/router-backup',
  logLevel: 'info',
  check: false,
};

function parse(args: string[], env: Record<string, string> = {}) {
  return parseFlags(serviceFlags('router-backup'), args, env);
}

describe('parseFlags', () => {
  it('has a default for everything', () => {
    expect(parse([])).toEqual(defaults);
  });

  it('takes a flag over a variable over a default', () => {
    const env = {
      SKOLO_PORT: '81',
      SKOLO_METRICS_PORT: '82',
      SKOLO_HOST: '127.0.0.1',
      SKOLO_LOG_LEVEL: 'warn',
    };

    const flags = parse(['--port=83', '--rack', 'r.yaml', '--check'], env);

    expect(flags).toEqual({
      ...defaults,
      port: 83,
      metricsPort: 82,
      host: '127.0.0.1',
      logLevel: 'warn',
      rackFile: 'r.yaml',
      check: true,
    });
  });

  it('takes an empty variable for none', () => {
    expect(parse([], { SKOLO_PORT: '', SKOLO_HOST: '' })).toEqual(defaults);
  });

  it('takes the last of several', () => {
    expect(parse(['--port', '1', '--port', '2'])).toMatchObject({ port: 2 });
  });

  it.each(['0', '65535'])('takes port %s', (port) => {
    expect(parse(['--port', port])).toMatchObject({ port: Number(port) });
  });

  it.each(['127.0.0.1', '::', '::1', 'fe80::1%eth0', 'localhost'])('takes host %s', (host) => {
    expect(parse(['--host', host])).toMatchObject({ host });
  });

  it('gives help, whatever else is there', () => {
    expect(parse(['--help', '--port', '80'])).toBe('help');
  });

  it.each([
    [['--prot', '1'], {}, 'unknown flag --prot'],
    [['--xyzzy'], {}, 'unknown flag --xyzzy'],
    [['-p', '1'], {}, 'unknown flag -p'],
    [['rack.yaml'], {}, 'unexpected argument rack.yaml; all arguments are flags'],
    [['--', 'x'], {}, 'unexpected argument x; all arguments are flags'],
    [['--port'], {}, '--port needs a value: --port N'],
    [['--rack', '--check'], {}, '--rack needs a value: --rack FILE'],
    [['--rack='], {}, '--rack needs a value: --rack FILE'],
    [['--check=yes'], {}, '--check does not take a value'],
    [['--port', '65536'], {}, '--port: 65536 is not a port; specify a number from 0 to 65535'],
    [['--port', '1e3'], {}, '--port: 1e3 is not a port; specify a number from 0 to 65535'],
    [[], { SKOLO_PORT: '-1' }, 'SKOLO_PORT: -1 is not a port; specify a number from 0 to 65535'],
    [
      ['--host', '[::1]'],
      {},
      '--host: [::1] is not an address; specify one such as 127.0.0.1 or ::1',
    ],
    [
      [],
      { SKOLO_LOG_LEVEL: 'loud' },
      'SKOLO_LOG_LEVEL: loud is not a log level; specify one of trace, debug, info, warn, error, fatal, silent',
    ],
  ])('rejects %j %j', (args, env, message) => {
    expect(() => parse(args, env)).toThrow(new UsageError(message));
  });
});

it('usageOf names all flags, their variables and defaults', () => {
  expect(usageOf(serviceFlags('router-backup'))).toMatchInlineSnapshot(`
    "usage: router-backup [flags]; flags override environment variables

      --rack FILE        SKOLO_RACK          the rack's inventory (default /etc/skolo/rack.yaml)
      --runtime-dir DIR  SKOLO_RUNTIME_DIR   directory in memory that outlives the process: equipment that kills it (default /run/skolo/router-backup)
      --port N           SKOLO_PORT          port to listen on; 0 = any free port (default 8003)
      --metrics-port N   SKOLO_METRICS_PORT  port of /metrics, /healthz, /readyz (default 20011)
      --host ADDR        SKOLO_HOST          address to listen on (default: all, IPv6 and IPv4)
      --state-dir DIR    SKOLO_STATE_DIR     directory for all files that the service writes (default /var/lib/skolo/router-backup)
      --log-level L      SKOLO_LOG_LEVEL     trace, debug, info, warn, error, fatal, silent (default info)
      --check                                check rack.yaml and this service's secrets, and exit
      --help                                 print this help
    "
  `);
});
