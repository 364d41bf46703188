/**
 * The service as a process whose clock its parent controls: `{ pass: MILLISECONDS }` advances the time, and is answered when done. Further
 * arguments: the initial wall clock, in milliseconds, and uptime, in seconds.
 */
import { parseArgs } from 'node:util';
import { createLogger, startService } from '@skolo/common';
import { fakeClock } from '@skolo/common/testing';
import { createAlertToPubsub } from '../service.ts';

const text = { type: 'string', default: '' } as const;
const { values } = parseArgs({
  options: {
    rack: text,
    'state-dir': text,
    port: text,
    'metrics-port': text,
    host: text,
    wall: text,
    uptime: text,
  },
});
const clock = fakeClock(Number(values.wall), Number(values.uptime));
const service = await startService(
  createAlertToPubsub({ openEveryMs: 50, checkEveryMs: 50, shrinkEveryMs: 200 }),
  {
    rackFile: values.rack,
    stateDir: values['state-dir'],
    port: Number(values.port),
    metricsPort: Number(values['metrics-port']),
    host: values.host,
    log: createLogger({ service: 'alert-to-pubsub' }),
    clock,
  },
);
process.on('message', (message: { pass: number }) => {
  clock.pass(message.pass);
  process.send?.({ passed: message.pass });
});
process.on('SIGTERM', async () => {
  await service.stop();
  process.exit(0);
});
