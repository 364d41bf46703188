import { existsSync } from 'node:fs';
import { describe, expect, it, onTestFinished } from 'vitest';
import { startServer } from './server.ts';

const serving = `
  console.log('starting');
  const server = require('node:http').createServer((q, r) => r.end(process.env.GREETING));
  server.listen(0, '127.0.0.1', () => console.log('listening on ' + server.address().port));
`;

describe('a server in a process of its own', () => {
  it('is ready, answers, and is gone', async () => {
    const server = await startServer({
      command: [process.execPath, '-e', serving],
      ready: /listening on (?<port>\d+)/,
      env: { GREETING: 'hello' },
    });
    onTestFinished(() => server.stop());

    const response = await fetch(`http://127.0.0.1:${server.groups.port}/`);

    expect(await response.text()).toBe('hello');
    expect(existsSync(`/proc/${server.pid}`)).toBe(true);
    await server.stop();
    expect(existsSync(`/proc/${server.pid}`)).toBe(false);
  });

  it('that exits is reported with what it printed', async () => {
    await expect(
      startServer({
        command: [process.execPath, '-e', 'console.error("no rack.yaml"); process.exit(78)'],
        ready: /listening/,
      }),
    ).rejects.toThrow(/exited with 78, never ready\nno rack.yaml$/);
  });

  it('that is never ready is ended', async () => {
    await expect(
      startServer({
        command: [process.execPath, '-e', 'setInterval(() => {}, 1000)'],
        ready: /listening/,
        timeoutMs: 1,
      }),
    ).rejects.toThrow('not ready in time');
  });

  it('that cannot be started is an error', async () => {
    await expect(
      startServer({ command: ['/no/such/program'], ready: /listening/ }),
    ).rejects.toThrow(/^\/no\/such\/program: (spawn .* ENOENT|exited with 127, never ready)/);
  });
});
