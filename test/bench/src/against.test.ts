import { describe, expect, it } from 'vitest';
import { pairOf, type Sample } from './against.ts';
import { type Bench, higher, lower, NotRun } from './bench.ts';

const never = async () => {
  throw new Error('a bench does not measure in this process');
};

/** A side whose runs have these results, in turn; the order of all runs is in `runs`. */
function side(name: string, figures: number[], cpu: number[], runs: string[]) {
  return async (): Promise<Sample> => {
    runs.push(name);
    return { figure: figures.shift() ?? 0, processorSeconds: cpu.shift() ?? 0 };
  };
}

async function compare(bench: Bench, now: [number[], number[]], before: [number[], number[]]) {
  const runs: string[] = [];
  const sides = { now: side('now', ...now, runs), before: side('before', ...before, runs) };
  const [figures, cpu] = pairOf(bench, 'abc', sides);
  return { figures: await figures?.measure(), cpu: cpu?.measure(), runs };
}

describe('a bench against a commit', () => {
  it('is measured in turn, and the medians are compared', async () => {
    const bench = lower('start', 's', never);

    const { figures, cpu, runs } = await compare(
      bench,
      [
        [3, 1, 2],
        [6, 4, 5],
      ],
      [
        [1, 9, 2],
        [1, 2, 3],
      ],
    );

    expect(figures).toEqual({ figure: 2, against: { abc: 2 } });
    expect(await cpu).toEqual({ figure: 5, against: { abc: 2 } });
    expect(runs).toEqual(['now', 'before', 'before', 'now', 'now', 'before']);
  });

  it('at half the rate takes twice the processor time for the same work', async () => {
    const bench = higher('intake', '1/s', never);

    const { cpu } = await compare(
      bench,
      [
        [50, 50, 50],
        [4, 4, 4],
      ],
      [
        [100, 100, 100],
        [4, 4, 4],
      ],
    );

    expect(await cpu).toEqual({ figure: 8, against: { abc: 4 } });
  });

  it('without processor times has none', async () => {
    const { cpu } = await compare(lower('start', 's', never), [[1], []], [[1], []]);

    await expect(cpu).rejects.toThrow(NotRun);
  });
});
