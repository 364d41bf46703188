/**
 * A device that attacks whoever reads it, on loopback; prints its port. Its own process, so that it uses another core than the caller.
 *
 * @example node device.ts '{"transport":"ssh","pattern":"line ends","bytes":32505856}'
 */
import { pause } from '@skolo/base';
import { z } from 'zod';
import { type PatternName, patterns } from './patterns.ts';
import { type TransportName, transports } from './transports.ts';

const Attack = z.object({
  transport: z.enum(Object.keys(transports) as TransportName[]),
  pattern: z.enum(Object.keys(patterns) as PatternName[]),
  /** Of its output; a pattern has no end of its own. */
  bytes: z.int(),
  /** Whether the prompt, exit status or end follows for which the reader waits. */
  ends: z.boolean().default(true),
  /** Commands that it answers before, by nothing; -1: it attacks at the beginning of a session. */
  honest: z.int().default(0),
  prompt: z.string().default('switch-1#'),
  port: z.int().default(0),
});
export type Attack = z.input<typeof Attack>;
const attack = Attack.parse(JSON.parse(process.argv[2] ?? ''));

async function pour(send: (packet: Buffer) => unknown): Promise<void> {
  const { packets, pauseMs } = patterns[attack.pattern];
  let left = attack.bytes;
  for (const packet of packets(attack.prompt)) {
    await send(packet.subarray(0, left));
    left -= packet.length;
    if (left <= 0) return;
    if (pauseMs !== undefined) await pause(pauseMs);
  }
}

const port = await transports[attack.transport]({ ...attack, pour });
process.stdout.write(`${port}\n`);
