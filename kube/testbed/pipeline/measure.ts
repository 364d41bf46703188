/** Samples at rising rates, in several rounds. */
import { isSaturated } from './analysis.ts';
import { offerLoad, type Sample } from './load.ts';
import type { TestSettings } from './settings.ts';

/**
 * Each round rises until the service no longer keeps up. Rounds go over all rates instead of repeating each rate, so that a minute in
 * which something else ran spoils one value of several rates and not all of one.
 *
 * @throws Error The service does not respond at all. @throws The signal's reason.
 */
export async function measure(
  { url, rates, seconds, rounds, timeoutMs, objective }: TestSettings,
  { signal, report }: { signal: AbortSignal; report(text: string): void },
): Promise<Sample[]> {
  // Code that has not run yet is slower.
  const warmUp = await offerLoad({ url, rate: rates[0] ?? 1, seconds, timeoutMs }, signal);
  if (warmUp.failed === warmUp.sent) throw new Error(`${url}: no request was answered with 200`);
  const samples: Sample[] = [];
  for (let round = 1; round <= rounds; round++) {
    for (const rate of rates) {
      const sample = await offerLoad({ url, rate, seconds, timeoutMs }, signal);
      samples.push(sample);
      const { achieved, failed, latencyMs } = sample;
      report(
        `round ${round}, ${rate}/s: ${achieved.toFixed(0)}/s answered, p99 ${latencyMs.p99.toFixed(1)} ms, ${failed} failed`,
      );
      if (isSaturated(sample, objective)) break;
    }
  }
  return samples;
}
