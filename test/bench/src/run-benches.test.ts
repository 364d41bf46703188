import { describe, expect, it } from 'vitest';
import { type Bench, type Measurement, NotRun } from './bench.ts';
import { runBenches } from './run-benches.ts';

function bench(name: string, measurement: Measurement | Error, more: Partial<Bench> = {}): Bench {
  return {
    name,
    unit: '1/s',
    better: 'higher',
    measure: async () => {
      if (measurement instanceof Error) throw measurement;
      return measurement;
    },
    ...more,
  };
}

async function run(benches: Bench[], ...argv: string[]) {
  const out: string[] = [];
  const err: string[] = [];
  const code = await runBenches(benches, argv, {
    out: (text) => out.push(text),
    err: (text) => err.push(text),
  });
  return { code, out, err };
}

describe('--json', () => {
  it('prints one object a line, one for each peer', async () => {
    const token = bench('token', {
      figure: 51234.4,
      against: { 'node-http': 63000.2, express: 9700 },
    });

    const { code, out, err } = await run([token], '--json');

    expect(code).toBe(0);
    expect(err).toEqual([]);
    expect(out).toEqual([
      '{"bench":"token","figure":51234,"unit":"1/s","better":"higher","against":"node-http","theirs":63000,"ratio":0.813}',
      '{"bench":"token","figure":51234,"unit":"1/s","better":"higher","against":"express","theirs":9700,"ratio":5.282}',
    ]);
  });

  it('leaves the peer out where there is none', async () => {
    const memory = bench('memory-idle', { figure: 67.123456 }, { unit: 'MiB', better: 'lower' });

    const { out } = await run([memory], '--json');

    expect(out).toEqual(['{"bench":"memory-idle","figure":67.12,"unit":"MiB","better":"lower"}']);
  });

  it('leaves benches and peers that did not run out of its lines', async () => {
    const { code, out, err } = await run(
      [
        bench('token', new NotRun('wrk is not installed')),
        bench('p99', { figure: 1, notRun: { express: 'not installed' } }),
      ],
      '--json',
    );

    expect(code).toBe(0);
    expect(out).toEqual(['{"bench":"p99","figure":1,"unit":"1/s","better":"higher"}']);
    expect(err).toEqual([
      'token  not run: wrk is not installed',
      'p99    not compared with express: not installed',
    ]);
  });
});

describe('the table', () => {
  it('shows figures, peers, and what was not run', async () => {
    const { code, out, err } = await run([
      bench('token', { figure: 51234, against: { 'node-http': 63000 } }),
      bench(
        'memory-idle',
        { figure: 67.1, notRun: { 'go-emulator': 'not installed' } },
        { unit: 'MiB', better: 'lower' },
      ),
      bench('p99', new NotRun('wrk is not installed (Debian: apt-get install wrk)')),
    ]);

    expect(code).toBe(0);
    expect(err).toEqual([]);
    expect(out.slice(0, 2).join('\n')).toMatch(/Node \d+.*\n\d+ × .*load average/);
    expect(out.slice(3)).toEqual([
      'bench            figure unit   against              theirs   ratio  better',
      'token             51234 1/s    node-http             63000    0.81  higher',
      'memory-idle        67.1 MiB                                         lower',
      'memory-idle  not compared with go-emulator: not installed',
      'p99          not run: wrk is not installed (Debian: apt-get install wrk)',
    ]);
  });
});

describe('benches', () => {
  it('that fail make it fail, after the others', async () => {
    const { code, out } = await run([
      bench('token', new Error('http://127.0.0.1:1/: no answer at all')),
      bench('empty', { figure: Number.NaN }),
      bench('division', { figure: 1, against: { nothing: Number.POSITIVE_INFINITY } }),
      bench('good', { figure: 1 }),
    ]);

    expect(code).toBe(1);
    expect(out.slice(4)).toEqual([
      'token     failed: http://127.0.0.1:1/: no answer at all',
      'empty     failed: measured NaN, which is no figure',
      'division  failed: measured Infinity, which is no figure',
      'good               1 1/s                                         higher',
    ]);
  });

  it('are picked by --only', async () => {
    const all = ['a', 'b', 'c'].map((name) => bench(name, { figure: 1 }));

    const { out } = await run(all, '--json', '--only', 'a', '--only=c');

    expect(out.map((line) => JSON.parse(line).bench)).toEqual(['a', 'c']);
  });

  it.each([
    ['an unknown bench', ['--only', 'tokens'], 'no bench is called tokens'],
    ['an unknown option', ['--fast'], "Unknown option '--fast'"],
    ['records of what another commit does', ['--record', '--against', 'HEAD'], 'usage'],
  ])('reject %s', async (_what, argv, message) => {
    const { code, out, err } = await run([bench('token', { figure: 1 })], ...argv);

    expect(code).toBe(2);
    expect(out).toEqual([]);
    expect(err[0]).toContain(message);
    expect(err[0]).toContain(
      'usage: bench [--json] [--only NAME]… [--record | --against COMMIT]\nbenches: token',
    );
  });
});
