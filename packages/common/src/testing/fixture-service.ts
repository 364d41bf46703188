/** A service that misbehaves when asked to, for run-service.test.ts. */

import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { errorText } from '@skolo/errors';
import { readSecret } from '@skolo/secrets';
import { createApp, runService } from '../index.ts';

await runService({
  name: 'power-cycle-daemon',
  async checkSecrets(rack) {
    const secrets = ['first', 'second'].map((name) => readSecret(rack, `secrets/${name}`));
    const read = await Promise.allSettled(secrets);
    return read.flatMap((each) => (each.status === 'rejected' ? [errorText(each.reason)] : []));
  },
  async start(context) {
    const { signal } = context;
    if (context.rack.rack.name === 'starts-slowly') {
      context.log.info('starting');
      await once(signal, 'abort');
    }
    if (context.rack.rack.name === 'never-starts') throw new Error('no way');
    const app = createApp({
      ...context,
      api: {},
      handlers: {},
      first: [
        async (request, response, next) => {
          if (request.path === '/until-stopped') {
            context.log.info('waiting');
            await once(signal, 'abort');
            await sleep(50);
            response.json({ stopped: true });
          } else if (request.path === '/hang') {
            context.log.info('waiting');
          } else if (request.path === '/crash') {
            setImmediate(() => {
              throw new Error('https://u:hunter2@host is broken');
            });
          } else {
            next();
          }
        },
      ],
    });
    return { handler: app, readiness: () => ({ ready: true, degraded: [] }), stop: async () => {} };
  },
});
