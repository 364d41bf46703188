/** The demo: a rack on this computer, with stand-ins for all that is not here. */
import { type RackWatch, watchRack } from '@skolo/rack';
import { DemoCopy, type Origin } from './demo-copy.ts';
import { shown } from './folders.ts';
import { takeLock } from './lock.ts';
import { withOneAddress } from './one-address.ts';
import type { Output } from './output.ts';
import { choosePlaces, type Place, withPlaces } from './placement.ts';
import { hasManyLoopbackAddresses, host } from './ports.ts';
import { type Planned, runServices } from './run-services.ts';
import { services } from './services/index.ts';
import type { StandIn } from './stand-ins/stand-in.ts';
import { type Summary, serviceRow, summaryText } from './summary.ts';
import { startSurroundings } from './surroundings.ts';

export interface DemoOptions {
  dir: string;
  fresh: boolean;
  /** Where the person is. */
  cwd: string;
  output: Output;
  stop: AbortSignal;
  hurry: AbortSignal;
}

/**
 * Runs until it is to stop. @returns the exit code.
 *
 * @throws AlreadyRunning
 * @throws NotOurFolder
 * @throws RackError The copy was edited, has mistakes, and there is no earlier version of it.
 */
export async function runDemo(options: DemoOptions): Promise<number> {
  const { dir, fresh, output } = options;
  const copy = new DemoCopy(dir);
  const rackFile = shown(copy.rackFile, options.cwd);
  await copy.checkFolder();
  const lock = await takeLock(dir, (line) => output.line(line));
  const closers = [() => lock.release()];
  try {
    if (fresh) await copy.clear();
    const manyAddresses = await hasManyLoopbackAddresses();
    const places = await choosePlaces();
    const origin = await copy.prepare({
      adapt: (text) => (manyAddresses ? text : withOneAddress(text)),
      place: (text) => withPlaces(text, places),
    });
    const rack = await watchRack({
      file: copy.rackFile,
      service: 'metadata-server',
      stateDir: copy.stateDir('demo'),
      // The services say so.
      onRefused: () => undefined,
    });
    closers.push(() => rack.close());
    const surroundings = await startSurroundings(rack, dir, (error) =>
      output.problem(error.message),
    );
    closers.push(() => surroundings.close());
    const { standIns } = surroundings;

    return await runServices({
      ...options,
      planned: places.map((place) => plan(place, copy, rackFile)),
      rackFile: copy.rackFile,
      onGuard: (pid) => lock.share(pid),
      onListening: async () => {
        const summary = describe({ rack, rackFile, places, standIns, origin, manyAddresses });
        output.line(summaryText(summary, output.colour));
      },
    });
  } finally {
    for (const close of closers.reverse()) await close();
  }
}

function plan({ name, port, metricsPort }: Place, copy: DemoCopy, rackFile: string): Planned {
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

function describe(start: {
  rack: RackWatch;
  rackFile: string;
  places: Place[];
  standIns: readonly StandIn[];
  origin: Origin;
  manyAddresses: boolean;
}): Summary {
  const { rack, rackFile, places, standIns, origin, manyAddresses } = start;
  const notes: string[] = [];
  if (!manyAddresses) {
    notes.push(
      'This computer has 127.0.0.1 and no other loopback address: there is one machine.',
      'On Linux there are more.',
    );
  }
  if (rack.degraded.some(({ what }) => what === 'rack.yaml')) {
    notes.push(`${rackFile} has mistakes: each service says which.`);
    notes.push('The version before them is in force.');
  } else if (origin === 'kept') {
    notes.push(`${rackFile} is as you left it.`);
  }
  return {
    title: `Rack ${rack.rack.name} runs on this computer.`,
    rows: [
      ...places.map((place) => serviceRow(place.name, place)),
      ...standIns.map(({ name, url }) => ({ name, url, note: 'stand-in, in this process' })),
    ],
    notes,
    suggestions: services.flatMap((service) => {
      const place = places.find(({ name }) => name === service.name);
      return place ? service.suggestions({ ...place, rack: rack.rack, rackFile }) : [];
    }),
    closing: ['Ctrl-C ends all of it. Your rack.yaml stays; npm start -- --fresh begins anew.'],
  };
}
