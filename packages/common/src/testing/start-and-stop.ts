/** Starts and stops a service three times, and does not call process.exit: whatever is left open keeps it running. */

import { startService } from '../index.ts';
import { systemClock } from '../process/clock.ts';

const [rackFile = '', stateDir = ''] = process.argv.slice(2);
for (let time = 0; time < 3; time += 1) {
  const running = await startService(
    {
      name: 'router-backup',
      async start({ lastSuccess, degraded }) {
        lastSuccess.mark('x');
        degraded.raise('x', 'y');
        return {
          handler: (_request, response) => response.end('here'),
          readiness: () => ({ ready: true, degraded: [] }),
          stop: async () => undefined,
        };
      },
    },
    { rackFile, stateDir, port: 0, metricsPort: 0, host: '127.0.0.1', clock: systemClock },
  );
  await (await fetch(`http://127.0.0.1:${running.port}`)).text();
  await running.stop();
}
