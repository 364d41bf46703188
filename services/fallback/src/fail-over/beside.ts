/** Tries our metadata server beside that of an existing system, on ports of its own: it must have its tokens before a fail-back. */
import { existsSync } from 'node:fs';
import { createServer } from 'node:net';
import { errorText, pause } from '@skolo/base';
import type { Rack } from '@skolo/rack';
import { askFullReadiness, type Probe } from '../look/probes.ts';
import { metadataServer, type PodService, programOf, rackFileOf } from '../units/services.ts';
import { changeUnit, startTransient, unitState } from '../units/units.ts';

const unit = 'skolo-metadata-server-beside.service';
const patienceMs = 60_000;

/** Why it would not serve; undefined where it would, and for services that cannot run twice. */
export async function tryBeside(
  service: PodService,
  rack: Rack | undefined,
): Promise<string | undefined> {
  if (service.name !== metadataServer.name) return undefined;
  const rackFile = rackFileOf(service);
  if (!existsSync(rackFile)) {
    return `${rackFile} is missing; run skolo-fallback sync to copy it from k3s`;
  }
  const metricsPort = await freePort();
  try {
    await changeUnit('stop', unit).catch(() => undefined);
    await startTransient(
      unit,
      [
        `EnvironmentFile=-/etc/skolo/${service.name}/environment`,
        'RuntimeDirectory=skolo-metadata-server-beside',
        'NoNewPrivileges=yes',
      ],
      [
        ...['/usr/bin/node', `/opt/skolo/${programOf(service)}`, '--rack', rackFile],
        ...['--host', '127.0.0.1', '--port', '0', '--metrics-port', `${metricsPort}`],
        ...['--state-dir', '/run/skolo-metadata-server-beside'],
      ],
    );
    return await whyNotReady(() => askFullReadiness(service, rack, metricsPort));
  } catch (error) {
    return errorText(error);
  } finally {
    await changeUnit('stop', unit).catch(() => undefined);
  }
}

async function whyNotReady(look: () => Promise<Probe>): Promise<string | undefined> {
  const until = performance.now() + patienceMs;
  for (;;) {
    const { isAnswering, text } = await look();
    if (isAnswering) return undefined;
    if (!(await unitState(unit)).isRunning) return `the service exited; run journalctl -u ${unit}`;
    if (performance.now() > until) return `${text}; run journalctl -u ${unit}`;
    await pause(500);
  }
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === 'string') throw new Error('no free port');
  return address.port;
}
