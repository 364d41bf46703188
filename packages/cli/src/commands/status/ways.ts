/**
 * Tests every way into every rack once a day from this workstation. Commands stop at the first route that works, so the others would
 * first be used on the day when that one fails. No machine in the rack can test them, because they start here.
 */
import { mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { errorText, inParallel, parseJson, withDeadline, withoutName } from '@skolo/base';
import { readFileIfExists, writeFileAtomic } from '@skolo/base/durable/atomic-file';
import type { FleetRack } from '@skolo/fleet';
import { z } from 'zod';
import type { Io } from '../../io.ts';
import { userFolder } from '../../workstation/workstation-files.ts';

/** By rack and way. Only a cache: lost entries are tested again. */
const Tests = z.record(z.string(), z.object({ at: z.number(), why: z.string().exactOptional() }));

const dayMs = 86_400_000;
/** For a failed one: somebody may be repairing it. */
const failedMs = 300_000;
const limitMs = 20_000;
/** Each is an ssh process. */
const atOnce = 20;

/** A remark for each way that does not work. */
export async function testWays(
  racks: readonly FleetRack[],
  { env, now }: Pick<Io, 'env' | 'now'>,
  signal: AbortSignal,
): Promise<{ name: string; text: string }[]> {
  const { openJumphost, wayName } = await import('@skolo/fleet');
  const file = join(userFolder(env, 'XDG_CACHE_HOME'), 'skolo', 'ways.json');
  const before = Tests.safeParse(parseJson((await readFileIfExists(file)) ?? '')).data ?? {};
  // If there is only one, opening the rack tests it.
  const ways = racks.flatMap((rack) =>
    rack.type === 'k3s' && rack.ways.length > 1
      ? rack.ways.map((way) => ({ rack, way, key: `${rack.name} ${wayName(way)}` }))
      : [],
  );
  const tests = await inParallel(ways, atOnce, async ({ rack, way, key }) => {
    const last = before[key];
    const ageMs = last === undefined ? Number.POSITIVE_INFINITY : now() - last.at;
    if (last && ageMs < (last.why === undefined ? dayMs : failedMs)) return [key, last] as const;
    const late = () => new Error(`no response within ${limitMs / 1000} s`);
    const why = await withDeadline({ ms: limitMs, late, signal }, async (stop) => {
      const only = { ...rack, ways: [way] };
      await (await openJumphost(only, { env, mayAsk: false, signal: stop })).close();
    }).catch(errorText);
    signal.throwIfAborted();
    return [key, { at: now(), ...(why !== undefined && { why }) }] as const;
  });
  const found = new Map(tests);
  await mkdir(dirname(file), { recursive: true });
  await writeFileAtomic(file, JSON.stringify({ ...before, ...Object.fromEntries(found) }));
  return ways.flatMap(({ rack: { name }, way, key }) => {
    const why = found.get(key)?.why;
    return why === undefined
      ? []
      : [{ name, text: `way ${wayName(way)}: ${withoutName(why, name)}` }];
  });
}
