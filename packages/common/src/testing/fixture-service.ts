/** A service that misbehaves when asked to, for run-service.test.ts. */

import { once } from 'node:events';
import type { RequestListener } from 'node:http';
import { errorText } from '@skolo/base';
import { readSecret } from '@skolo/base/secrets';
import { createApp, runService } from '../index.ts';

await runService({
  name: 'power-cycle-daemon',
  async check(rack) {
    const secrets = ['first', 'second'].map((name) => readSecret(rack, `secrets/${name}`));
    const read = await Promise.allSettled(secrets);
    return read.flatMap((each) =>
      each.status === 'rejected' ? [{ path: ['rack'], message: errorText(each.reason) }] : [],
    );
  },
  notes: ({ name }) => [`${name} is slow`],
  async start(context) {
    const { signal } = context;
    if (context.rack.rack.name === 'starts-slowly') {
      context.log.info('starting');
      await once(signal, 'abort');
    }
    if (context.rack.rack.name === 'never-starts') throw new Error('no way');
    const app = createApp(context, { api: {}, handlers: {} });
    const handler: RequestListener = (request, response) => {
      if (request.url === '/until-stopped') {
        context.log.info('waiting');
        signal.addEventListener('abort', () =>
          setTimeout(() => response.end('{"stopped": true}'), 50),
        );
      } else if (request.url === '/warn') {
        process.emitWarning('received unexpected error', 'MetadataLookupWarning');
        response.end();
      } else if (request.url === '/hang') {
        context.log.info('waiting');
      } else if (request.url === '/crash') {
        setImmediate(() => {
          throw new Error('https://u:hunter2@host is broken');
        });
      } else {
        app(request, response);
      }
    };
    return { handler, readiness: () => ({ ready: true, degraded: [] }), stop: async () => {} };
  },
});
