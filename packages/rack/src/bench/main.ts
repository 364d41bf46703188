/**
 * How long a rack of a thousand machines takes from text to checked inventory. `npm run bench -w packages/rack` prints a
 * table; `npm run --silent bench -w packages/rack -- --json` one object a line.
 */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { parseRack } from '../read/load.ts';

const { values: flags } = parseArgs({
  options: { json: { type: 'boolean', default: false }, first: { type: 'string' } },
});
const rounds = 21;

const head = `rack: bench
timezone: America/New_York
network: { subnet: 10.0.0.0/8 }
jumphost: { name: jumphost, address: 10.0.0.8, uplink: switch-1/48, power: pdu-1/1 }
identities:
  bots: { project: my-project, credentials: { serviceAccountKey: secrets/bots.json } }
logins:
  switches: { username: ubnt, password: secrets/switch }
equipment:
  router: { model: edgeos, address: 10.0.0.1, login: switches, uplink: internet }
  switch-[1-25]: { model: edgeswitch, address: 10.0.1.[1-25], login: switches, uplink: router }
  pdu-1: { model: synaccess, address: 10.0.2.1, uplink: switch-1/47 }
machines:
`;

/** 25 entries of 40 machines. */
function fromRanges(): string {
  const entries = Array.from(
    { length: 25 },
    (_, i) => `  rpi-shelf${i + 1}-[001-040]:
    kind: rpi
    shelf: shelf${i + 1}
    address: 10.1.${i}.[1-40]
    power: switch-${i + 1}/[1-40]
    uplink: switch-${i + 1}/[1-40]
    identity: bots
    device: { kind: android, power: usb/1-1.2 }
    metadata: { zone: us-skolo-1, machineType: rpi4, tags: [bot, bench], attributes: { pool: phones } }
`,
  );
  return head + entries.join('');
}

/** The same, each machine an entry of its own with its MAC address. */
function singly(): string {
  const entries = Array.from({ length: 1000 }, (_, n) => {
    const shelf = Math.floor(n / 40);
    const slot = (n % 40) + 1;
    const mac = n.toString(16).padStart(4, '0').replace(/^(..)/, '$1:');
    return `  rpi-shelf${shelf + 1}-${String(slot).padStart(3, '0')}:
    kind: rpi
    shelf: shelf${shelf + 1}
    address: 10.1.${shelf}.${slot}
    mac: dc:a6:32:00:${mac}
    power: switch-${shelf + 1}/${slot}
    uplink: switch-${shelf + 1}/${slot}
    identity: bots
    device: { kind: android, power: usb/1-1.2 }
    metadata: { zone: us-skolo-1, machineType: rpi4, tags: [bot, bench], attributes: { pool: phones } }
`;
  });
  return head + entries.join('');
}

const texts: Readonly<Record<string, string>> = {
  'load-ranges': fromRanges(),
  'load-singly': singly(),
};

function load(text: string): void {
  const { machines } = parseRack(text, { file: 'rack.yaml' });
  if (machines.size !== 1000) throw new Error(`expected 1000 machines, found ${machines.size}`);
}

function milliseconds(run: () => void): number {
  const start = performance.now();
  run();
  return performance.now() - start;
}

function median(figures: number[]): number {
  return figures.sort((a, b) => a - b)[Math.floor(figures.length / 2)] ?? Number.NaN;
}

/** Median of many, after a warm-up. */
function steady(run: () => void): number {
  for (let i = 0; i < 5; i++) run();
  return median(Array.from({ length: rounds }, () => milliseconds(run)));
}

/** In a process that has loaded nothing before, as a service at its start. Imports are not counted. */
function first(name: string): number {
  const figures = Array.from({ length: 5 }, () => {
    const { stdout } = spawnSync(process.execPath, [
      fileURLToPath(import.meta.url),
      '--first',
      name,
    ]);
    return Number(stdout);
  });
  return median(figures);
}

if (flags.first !== undefined) {
  const text = texts[flags.first] ?? '';
  process.stdout.write(String(milliseconds(() => load(text))));
} else {
  const results = Object.entries(texts).flatMap(([bench, text]) => [
    { bench, figure: steady(() => load(text)) },
    { bench: `${bench}-first`, figure: first(bench) },
  ]);
  for (const { bench, figure } of results) {
    const rounded = Number(figure.toFixed(1));
    if (flags.json)
      console.log(JSON.stringify({ bench, figure: rounded, unit: 'ms', better: 'lower' }));
    else console.log(`${bench.padEnd(20)} ${figure.toFixed(1).padStart(8)} ms`);
  }
}
