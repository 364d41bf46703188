/** `npm run bench -w services/power-cycle-daemon [-- --json] [-- --only NAME]` */
import { setTimeout as sleep } from 'node:timers/promises';
import {
  beside,
  lower,
  type Measurement,
  memoryOf,
  residentMemory,
  runBenches,
  writtenBytes,
} from '@skolo/bench';
import { freeTcpPort } from '@skolo/simulators/free-port';
import { bound, type Load } from './bound.ts';
import { firstOutlet, ours, pdudaemon } from './first-outlet.ts';
import {
  cycleAll,
  type Lab,
  type LabOptions,
  machinesOf,
  pdus,
  perPdu,
  perSwitch,
  type RunningDaemon,
  startLab,
  switches,
} from './lab.ts';
import { cycleAllWithPdudaemon } from './pdudaemon.ts';

const limits = { atOncePerController: 5, atOnce: 20 };

/** All 300 requested at once, with the default limits and off-times, until the last one is back. */
const rackCycle = lower('rack-cycle', 's', () =>
  withDaemon({ switchModel: 'edgeswitch' }, async (daemon) => {
    const figure = await cycleAll(daemon, machinesOf(switches));
    return { figure, against: { bound: bound(loads(switches, 5, 10), limits) } };
  }),
);

/** Five switches and the PDUs, with and without requests for the machines of a wedged sixth switch. */
const oneWedged = lower('one-wedged', 's', () =>
  withDaemon({ switchModel: 'edgeswitch', offSeconds: 2 }, async (daemon, lab) => {
    const others = machinesOf(switches - 1);
    const healthy = await cycleAll(daemon, others);
    lab.switches.at(-1)?.faults.set('wedged');
    const machines = [`switch-${switches}-m[1-${perSwitch}]`];
    await daemon.client.requestCycles({ body: { machines, reason: 'bench', mode: 'hard' } });
    const figure = await cycleAll(daemon, others);
    return { figure, against: { 'all-well': healthy } };
  }),
);

const delay = 2;
const noLimits = '    atOncePerController: 200\n    atOnce: 1000';

/**
 * The same list over SNMP with both daemons, each machine off for two seconds. pdudaemon has no limits, so ours are disabled here; ours
 * also reads each outlet back twice and sees the machines back, which pdudaemon does not do.
 */
const againstPdudaemon = lower('rack-cycle-no-limits', 's', () => {
  const options = { switchModel: 'snmp-poe', offSeconds: delay, settings: noLimits } as const;
  return withDaemon(options, async (daemon, lab) => {
    const figure = await cycleAll(daemon, machinesOf(switches));
    await daemon.stop();
    const port = await freeTcpPort();
    return await beside(figure, 'pdudaemon', () => cycleAllWithPdudaemon(lab, { port, delay }));
  });
});

/** From the start of the process until it has turned off the first outlet, of one PDU over SNMP. */
const first = lower('first-outlet', 's', () =>
  besidePdudaemon((start) => firstOutlet(start, ({ seconds }) => seconds)),
);

/** Resident after that, once V8 has collected the garbage of the start, which takes up to 40 s. */
const firstMemory = lower('first-memory', 'MiB', () =>
  besidePdudaemon((start) =>
    firstOutlet(start, async ({ pid }) => {
      await sleep(100_000);
      return residentMemory(pid);
    }),
  ),
);

async function besidePdudaemon(
  measure: (start: typeof ours) => Promise<number>,
): Promise<Measurement> {
  return await beside(await measure(ours), 'pdudaemon', () => measure(pdudaemon));
}

const memoryIdle = lower('memory-idle', 'MiB', () =>
  withDaemon({ switchModel: 'edgeswitch' }, async ({ pid, client }) => {
    await client.machines();
    await sleep(20_000);
    return memoryOf(pid);
  }),
);

const idleSeconds = 120;

/** What it writes while it only reads outlets. */
const idleWrites = lower('idle-writes', 'B/min', () =>
  withDaemon({ switchModel: 'edgeswitch' }, async ({ pid, client }) => {
    await client.machines();
    await sleep(5000);
    const before = writtenBytes(pid);
    await sleep(idleSeconds * 1000);
    return { figure: (writtenBytes(pid) - before) / (idleSeconds / 60) };
  }),
);

function loads(switchCount: number, poeSeconds: number, outletSeconds: number): Load[] {
  return [
    ...Array.from({ length: switchCount }, () => ({ machines: perSwitch, offSeconds: poeSeconds })),
    ...Array.from({ length: pdus }, () => ({ machines: perPdu, offSeconds: outletSeconds })),
  ];
}

async function withDaemon<T>(
  options: LabOptions,
  measure: (daemon: RunningDaemon, lab: Lab) => Promise<T>,
): Promise<T> {
  const lab = await startLab(options);
  try {
    const daemon = await lab.start();
    try {
      return await measure(daemon, lab);
    } finally {
      await daemon.stop();
    }
  } finally {
    await lab.remove();
  }
}

process.exitCode = await runBenches(
  [rackCycle, oneWedged, againstPdudaemon, first, firstMemory, memoryIdle, idleWrites],
  process.argv.slice(2),
);
