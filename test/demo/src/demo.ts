/** The demo: a rack on this computer, with simulators for everything that is not available. */
import { type RackWatch, watchRack } from '@skolo/rack';
import { type Block, takeBlock } from './addresses/block.ts';
import { withOneAddress } from './addresses/one-address.ts';
import { areFree, choosePlaces, type Place, writePlaces } from './addresses/placement.ts';
import { YamlText } from './addresses/yaml-text.ts';
import { AgentComputer } from './agent-computer.ts';
import type { DemoCopy, Origin } from './folder/demo-copy.ts';
import { pathFrom } from './folder/folders.ts';
import type { Lock } from './folder/lock.ts';
import { agentKeyFile, makeUpAgentKey } from './folder/login-secrets.ts';
import type { Output } from './output/output.ts';
import { type Summary, serviceRow, summaryText } from './output/summary.ts';
import { adbTrouble, pythonTrouble } from './output/what-is-missing.ts';
import { type Planned, runServices } from './processes/run-services.ts';
import { EndedAtOnce } from './processes/service-process.ts';
import { services } from './services/index.ts';
import type { DemoService } from './services/service.ts';
import type { Simulator } from './simulators/simulator.ts';
import { closeAll, followRack, startSimulators } from './surroundings.ts';

interface DemoOptions {
  copy: DemoCopy;
  /** The lock on its directory. */
  lock: Lock;
  fresh: boolean;
  /** Where the person is. */
  cwd: string;
  output: Output;
  stop: AbortSignal;
  hurry: AbortSignal;
}

/** How often another process may take a port between the check and the service's start. */
const attempts = 5;

/**
 * Runs until it is stopped.
 *
 * @throws RackError The copy was edited, has errors, and there is no earlier version of it.
 * @throws EndedAtOnce A service could not start.
 * @throws NoFreeBlock
 */
export async function runDemo(options: DemoOptions): Promise<void> {
  const { copy, fresh, output } = options;
  const { dir } = copy;
  const closers: (() => Promise<void>)[] = [];
  try {
    if (fresh) await copy.clear();
    const block = await takeBlock(await copy.text());
    closers.push(() => block.release());
    const { host, machineHost } = block;
    const [noPython, noAdb] = await Promise.all([pythonTrouble(), adbTrouble()]);
    const computer = noPython === undefined ? new AgentComputer() : undefined;
    const missing = [noPython, computer && noAdb].filter((text) => text !== undefined);
    const running = services.filter(({ machine }) => machine === undefined || computer);
    const choose = () => choosePlaces(running, host, machineHost);
    const onError = (error: Error) => output.problem(error.message);
    const simulators = await startSimulators(host, onError, computer, noAdb === undefined);
    closers.push(() => closeAll(simulators));
    const publicKey = await makeUpAgentKey(dir);
    const prepare = (places: Place[]) =>
      copy.prepare({
        adapt: (text) => (machineHost === undefined ? withOneAddress(block.readdress(text)) : text),
        place(text) {
          const edited = new YamlText(block.readdress(text));
          writePlaces(edited, places);
          if (edited.get(['access', 'agents', 'privateKey']) === agentKeyFile) {
            edited.set(['access', 'agents', 'publicKey'], publicKey);
          }
          for (const each of simulators) each.place?.(edited, dir);
          return edited.text;
        },
      });
    let places = await choose();
    const origin = await prepare(places);
    const rack = await watchRack({
      file: copy.rackFile,
      service: 'metadata-server',
      stateDir: copy.stateDir('demo'),
      // The services report it.
      onRejected: () => undefined,
    });
    closers.push(() => rack.close());
    const surroundings = await followRack(rack, { dir, started: simulators, onError });
    closers.push(() => surroundings.close());
    const demo = { rack, simulators, origin, block, computer, missing, running };

    for (let left = attempts; ; left--) {
      try {
        return await runPlaced(options, demo, places);
      } catch (error) {
        if (!(error instanceof EndedAtOnce) || left === 1) throw error;
        // The process that used it may only have checked whether it is free, as this one does.
        if (!error.hadNoPort && (await areFree(places))) throw error;
      }
      output.problem('Somebody else has just taken a port: starting again with other ones.');
      places = await choose();
      await prepare(places);
    }
  } finally {
    for (const close of closers.reverse()) await close();
  }
}

interface Demo {
  rack: RackWatch;
  simulators: readonly Simulator[];
  origin: Origin;
  block: Block;
  /** Undefined: no agent runs. */
  computer: AgentComputer | undefined;
  /** What is not installed, in sentences. */
  missing: string[];
  running: readonly DemoService[];
}

async function runPlaced(options: DemoOptions, demo: Demo, places: Place[]): Promise<void> {
  const { copy, lock } = options;
  const rackFile = pathFrom(copy.rackFile, options.cwd);
  await runServices({
    ...options,
    planned: places.map((place) => plan(place, { places, demo, copy, rackFile })),
    stopWithin: async (name) => demo.rack.rack.services[name].stopWithin,
    onGuard: (pid) => lock.share(pid),
    onListening: async () => {
      const summary = describe(demo, places, rackFile);
      options.output.line(summaryText(summary, options.output.colour));
    },
  });
}

function plan(
  { name, host, port, metricsPort, machine }: Place,
  {
    places,
    demo,
    copy,
    rackFile,
  }: { places: Place[]; demo: Demo; copy: DemoCopy; rackFile: string },
): Planned {
  const { computer } = demo;
  const flags = {
    ...(machine === undefined
      ? { rack: rackFile, 'runtime-dir': `${copy.stateDir(name)}.run` }
      : { machine, 'metadata-url': metadataUrl(places), 'hook-port': 0 }),
    host,
    port,
    'metrics-port': metricsPort,
    'state-dir': copy.stateDir(name),
  };
  return {
    name,
    flags: Object.entries(flags).flatMap(([flag, value]) => [`--${flag}`, String(value)]),
    ...(machine !== undefined && computer && { computer }),
  };
}

function metadataUrl(places: readonly Place[]): string {
  return places.find(({ name }) => name === 'metadata-server')?.url ?? 'http://metadata';
}

function describe(demo: Demo, places: Place[], rackFile: string): Summary {
  const { rack, simulators, origin, block, missing, running } = demo;
  const notes = [...missing];
  if (block.machineHost === undefined) {
    notes.push(
      'This computer has 127.0.0.1 and no other loopback address: there is one machine.',
      'On Linux there are more.',
    );
  }
  if (rack.degraded.some(({ what }) => what === 'rack.yaml')) {
    notes.push(`${rackFile} has errors: each service says which.`);
    notes.push('The version before them is in effect.');
  } else if (origin === 'kept') {
    notes.push(`${rackFile} is as you left it.`);
  }
  return {
    title: `Rack ${rack.rack.name} runs on this computer.`,
    rows: [
      ...places.map((place) => serviceRow(place.name, place)),
      ...simulators.map(({ name, url }) => ({ name, url, note: 'simulated, in this process' })),
    ],
    notes,
    suggestions: [
      ...running.flatMap((service) => {
        const place = places.find(({ name }) => name === service.name);
        return (place && service.suggestions?.({ ...place, rack: rack.rack, rackFile })) ?? [];
      }),
      ...simulators.flatMap(({ suggestions = [] }) => suggestions),
    ],
    closing: ['Ctrl-C ends all of it. Your rack.yaml stays; npm start -- --fresh begins anew.'],
  };
}
