/**
 * Every way into every rack, tested once a day from this workstation. A command stops at the first way that works, so the others
 * would be used for the first time on the day when that one fails. No machine of the rack can test them: they begin here.
 */
import { mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { errorText, inParallel, parseJson, withDeadline } from '@skolo/base';
import { readFileIfExists, writeFileAtomic } from '@skolo/durable/atomic-file';
import type { FleetRack } from '@skolo/fleet';
import { z } from 'zod';
import type { Io } from '../../io.ts';
import { userFolder } from '../../workstation/workstation-files.ts';

/** By rack and way. Of a cache: what is lost is tested again. */
const Tests = z.record(z.string(), z.object({ at: z.number(), why: z.string().exactOptional() }));

const dayMs = 86_400_000;
/** One that failed: somebody may be repairing it. */
const failedMs = 300_000;
const limitMs = 20_000;
/** Each is a process of ssh. */
const atOnce = 20;

/** What is wrong with ways that do not work, a remark for each. */
export async function testWays(
  racks: readonly FleetRack[],
  { env, now }: Pick<Io, 'env' | 'now'>,
  signal: AbortSignal,
): Promise<{ name: string; text: string }[]> {
  const { openJumphost, wayName } = await import('@skolo/fleet');
  const file = join(userFolder(env, 'XDG_CACHE_HOME'), 'skolo', 'ways.json');
  const before = Tests.safeParse(parseJson((await readFileIfExists(file)) ?? '')).data ?? {};
  // A single way is tested by whoever opens the rack.
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
      : [{ name, text: `way ${wayName(way)}: ${why.replace(`${name}: `, '')}` }];
  });
}
