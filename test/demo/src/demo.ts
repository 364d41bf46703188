/** The demo: a rack on this computer, with stand-ins for all that is not here. */
import type { ServiceName } from '@skolo/rack';
import { DemoCopy, type Origin } from './demo-copy.ts';
import { takeLock } from './lock.ts';
import { makeUpLoginSecrets } from './login-secrets.ts';
import { withOneAddress } from './one-address.ts';
import type { Output } from './output.ts';
import { shown } from './places.ts';
import { choosePort, hasManyLoopbackAddresses, host } from './ports.ts';
import { rackInForce } from './rack-in-force.ts';
import { type Planned, runServices } from './run-services.ts';
import { services } from './services/index.ts';
import { standIns } from './stand-ins/index.ts';
import type { RunningStandIn } from './stand-ins/stand-in.ts';
import { serviceRow, summaryText } from './summary.ts';
import { setValue } from './yaml-text.ts';

export interface DemoOptions {
  dir: string;
  fresh: boolean;
  /** Where the person is. */
  cwd: string;
  output: Output;
  stop: AbortSignal;
  hurry: AbortSignal;
}

interface Placed {
  name: ServiceName;
  port: number;
  metricsPort: number;
  url: string;
  metricsUrl: string;
}

/**
 * Runs until it is to stop. @returns the exit code.
 *
 * @throws AlreadyRunning
 * @throws NotOurFolder
 */
export async function runDemo(options: DemoOptions): Promise<number> {
  const { dir, fresh, output } = options;
  const copy = new DemoCopy(dir);
  await copy.checkFolder();
  const lock = await takeLock(dir, (line) => output.line(line));
  const running: RunningStandIn[] = [];
  try {
    if (fresh) await copy.clear();
    const manyAddresses = await hasManyLoopbackAddresses();
    const places = await placeServices();
    const origin = await copy.prepare({
      adapt: (text) => (manyAddresses ? text : withOneAddress(text)),
      place: (text) => places.reduce(writePlace, text),
    });
    const { rack } = await inForce(copy);
    if (rack) {
      await makeUpLoginSecrets(rack, dir);
      for (const standIn of standIns) running.push(await standIn.start(rack, dir));
    }

    const rackFile = shown(copy.rackFile, options.cwd);
    return await runServices({
      ...options,
      planned: places.map((place) => plan(place, copy, rackFile)),
      rackFile: copy.rackFile,
      onGuard: (pid) => lock.share(pid),
      onListening: async () => {
        output.line(await describe({ copy, rackFile, places, running, origin, manyAddresses }));
      },
    });
  } finally {
    for (const standIn of running) await standIn.close();
    await lock.release();
  }
}

/** What services run at the start, whatever has become of the file. */
function inForce(copy: DemoCopy) {
  const [{ name: service } = { name: 'metadata-server' as const }] = services;
  return rackInForce({ rackFile: copy.rackFile, service, stateDir: copy.stateDir(service) });
}

async function placeServices(): Promise<Placed[]> {
  const taken = new Set<number>();
  async function take(wanted: readonly number[]) {
    const port = await choosePort(wanted, taken);
    taken.add(port);
    return port;
  }
  const places: Placed[] = [];
  for (const { name, ports, metricsPorts } of services) {
    const [port, metricsPort] = [await take(ports), await take(metricsPorts)];
    places.push({ name, port, metricsPort, url: urlOf(port), metricsUrl: urlOf(metricsPort) });
  }
  return places;
}

function urlOf(port: number): string {
  return port === 80 ? `http://${host}` : `http://${host}:${port}`;
}

function writePlace(text: string, { name, url, metricsUrl }: Placed): string {
  const withUrl = setValue(text, ['services', name, 'url'], url);
  return setValue(withUrl, ['services', name, 'metricsUrl'], metricsUrl);
}

function plan({ name, port, metricsPort }: Placed, copy: DemoCopy, rackFile: string): Planned {
  const flags = {
    rack: rackFile,
    host,
    port,
    'metrics-port': metricsPort,
    'state-dir': copy.stateDir(name),
  };
  return {
    name,
    flags: Object.entries(flags).flatMap(([flag, value]) => [`--${flag}`, String(value)]),
  };
}

async function describe(start: {
  copy: DemoCopy;
  rackFile: string;
  places: Placed[];
  running: RunningStandIn[];
  origin: Origin;
  manyAddresses: boolean;
}): Promise<string> {
  const { copy, rackFile, places, running, origin, manyAddresses } = start;
  const { rack, problem } = await inForce(copy);
  const notes: string[] = [];
  if (!manyAddresses) {
    notes.push(
      'This computer has no loopback address but 127.0.0.1: there is one machine.',
      'On Linux there are more.',
    );
  }
  if (problem) {
    notes.push(
      `${rackFile} has mistakes (shown by the services).`,
      'The version before them is in force.',
    );
  } else if (origin === 'kept') {
    notes.push(`${rackFile} is as you left it.`);
  }
  return summaryText({
    title: `${rack ? `Rack ${rack.name}` : 'The rack'} runs on this computer.`,
    rows: [
      ...places.map((place) => serviceRow(place.name, place)),
      ...running.map(({ name, url }) => ({ name, url, note: 'stand-in, in this process' })),
    ],
    notes,
    suggestions: rack
      ? services.flatMap((service) => {
          const place = places.find(({ name }) => name === service.name);
          return place ? service.suggestions({ ...place, rack, rackFile }) : [];
        })
      : [],
    closing: ['Ctrl-C ends all of it. Your rack.yaml stays; npm start -- --fresh begins anew.'],
  });
}
