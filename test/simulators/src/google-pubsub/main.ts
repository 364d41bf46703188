/**
 * The simulator as a process of its own, for benches and for tests that kill it.
 *
 * node src/google-pubsub/main.ts [--host H] [--port N] [--topic NAME]… [--no-keep] [--end-with-stdin]
 *
 * It prints one line of JSON once it listens, `{"endpoint","port","pid"}`. A line of JSON on its standard input is a
 * command, answered by one line: `{"do":"counts"}`, `{"do":"misbehave","kind":"refuse","code":"UNAVAILABLE"}`,
 * `{"do":"behave"}`, `{"do":"stop"}`, `{"do":"start"}`.
 */
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';
import { z } from 'zod';
import { methods } from './calls.ts';
import { faultKinds } from './faults.ts';
import { type Code, codes } from './refusal.ts';
import { startGooglePubSub } from './server.ts';

const Command = z.discriminatedUnion('do', [
  z.strictObject({ do: z.literal('counts') }),
  z.strictObject({
    do: z.literal('misbehave'),
    kind: z.enum(faultKinds),
    times: z.int().positive().exactOptional(),
    methods: z.array(z.enum(methods)).exactOptional(),
    resource: z.string().exactOptional(),
    code: z.custom<Code>((code) => codes.some((known) => known === code)).exactOptional(),
    message: z.string().exactOptional(),
    milliseconds: z.number().nonnegative().exactOptional(),
    done: z.enum(['none', 'some', 'all']).exactOptional(),
  }),
  z.strictObject({ do: z.literal('behave') }),
  z.strictObject({ do: z.literal('stop') }),
  z.strictObject({ do: z.literal('start') }),
]);
export type Command = z.output<typeof Command>;

const { values } = parseArgs({
  options: {
    host: { type: 'string', default: '127.0.0.1' },
    port: { type: 'string', default: '0' },
    topic: { type: 'string', multiple: true, default: [] },
    'no-keep': { type: 'boolean', default: false },
    'end-with-stdin': { type: 'boolean', default: false },
  },
});

const google = await startGooglePubSub({
  host: values.host,
  port: Number(values.port),
  topics: values.topic,
  keep: !values['no-keep'],
});
tell({ endpoint: google.endpoint, port: google.port, pid: process.pid });

const lines = createInterface({ input: process.stdin });
lines.on('line', (line) => {
  obey(line).then(tell, (error: unknown) => tell({ error: String(error) }));
});
lines.on('close', () => {
  if (values['end-with-stdin']) process.exit();
});

async function obey(line: string): Promise<object> {
  const command = Command.parse(JSON.parse(line));
  switch (command.do) {
    case 'misbehave': {
      const { do: _, kind, ...options } = command;
      google.misbehave(kind, options);
      break;
    }
    case 'behave':
      google.behave();
      break;
    case 'stop':
      await google.stop();
      break;
    case 'start':
      await google.start();
      break;
    case 'counts':
  }
  return google.counts;
}

function tell(line: object): void {
  process.stdout.write(`${JSON.stringify(line)}\n`);
}
