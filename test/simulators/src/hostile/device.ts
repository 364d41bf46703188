/**
 * A device that attacks whoever reads it, on loopback; prints its port, and `attacks` when it begins to. Its own process, so that it uses
 * another core than the caller.
 *
 * @example node device.ts '{"transport":"ssh","pattern":"line ends"}'
 */
import { pause } from '@skolo/base';
import { z } from 'zod';
import { type Pattern, type PatternName, patterns } from './patterns.ts';
import { type TransportName, transports } from './transports.ts';

const Attack = z.object({
  transport: z.enum(Object.keys(transports) as TransportName[]),
  pattern: z.enum(Object.keys(patterns) as PatternName[]),
  /** Ends before more of either, by the prompt, exit status or end for which the reader waits; absent: never ends. */
  most: z.object({ bytes: z.int(), lines: z.int() }).optional(),
  prompt: z.string().default('switch-1#'),
});
export type Attack = z.input<typeof Attack>;
const attack = Attack.parse(JSON.parse(process.argv[2] ?? ''));

/** Each of these bytes is counted as a line: a reader may keep something for each. */
const marks = new Set(Buffer.from('\n\x1b,[{<&'));
let isAttacking = false;

async function pour(send: (packet: Buffer) => unknown): Promise<void> {
  if (!isAttacking) process.stdout.write('attacks\n');
  isAttacking = true;
  const {
    packets,
    pauseMs = 0,
    mostBytes = Number.POSITIVE_INFINITY,
  }: Pattern = patterns[attack.pattern];
  const most = attack.most ?? { bytes: Number.POSITIVE_INFINITY, lines: Number.POSITIVE_INFINITY };
  const left = attack.most ? { ...most, bytes: Math.min(most.bytes, mostBytes) } : most;
  for (const packet of packets(attack.prompt)) {
    let end = 0;
    for (; end < packet.length && left.bytes > 0 && left.lines > 0; end += 1) {
      left.bytes -= 1;
      if (marks.has(packet[end] ?? 0)) left.lines -= 1;
    }
    await send(packet.subarray(0, end));
    if (left.bytes <= 0 || left.lines <= 0) return;
    if (pauseMs > 0) await pause(pauseMs);
  }
}

const port = await transports[attack.transport]({
  ...attack,
  ends: attack.most !== undefined,
  pour,
});
process.stdout.write(`${port}\n`);
