/** `npm run bench -w services/router-backup [-- --json] [-- --only NAME]` */
import { execFile } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import {
  beside,
  lower,
  median,
  memoryOf,
  NotRun,
  peakMemory,
  residentMemory,
  runBenches,
  writtenBytes,
} from '@skolo/bench';
import { type Frr, startEdgeSwitch, startFrr, startLinuxHost } from '@skolo/simulators';
import { eventLoop } from './event-loop.ts';
import { type Service, withService } from './rack.ts';
import { startRancid } from './rancid.ts';

const run = promisify(execFile);
const rounds = 10;

const canary = '10.66.77.0/24';
const frrConfiguration = `hostname bench
password zebra
${Array.from({ length: 200 }, (_, i) => `ip route 10.${i}.0.0/16 blackhole`).join('\n')}
ip route ${canary} blackhole
`;

/**
 * One unchanged FRR device behind OpenSSH, from the request until the run is finished; alternating with rancid-run over the same device,
 * and with OpenSSH's client printing its configuration.
 */
const device = lower('device', 's', () =>
  withFrr(async (service, frr) => {
    await service.idle();
    const rancid = await startRancid(frr, canary).catch((error: unknown) => {
      if (error instanceof NotRun) return error;
      throw error;
    });
    const ours: number[] = [];
    const plain: number[] = [];
    const theirs: number[] = [];
    for (let round = 0; round < rounds; round += 1) {
      ours.push((await service.run('router')).seconds);
      plain.push(await withSsh(frr));
      if (!(rancid instanceof NotRun) && round < 3) theirs.push(await rancid.run());
    }
    const figure = median(ours);
    const ssh = median(plain);
    if (rancid instanceof NotRun) {
      return { figure, against: { ssh }, notRun: { rancid: rancid.message } };
    }
    await rancid.remove();
    return { figure, against: { ssh, rancid: median(theirs) } };
  }),
);

/** That device, from the start of the process without any history until the first version is stored; rancid-run for a new group. */
const firstBackup = lower('first-backup', 's', () =>
  withFrr(async (service, frr) => {
    await service.stored('router');
    const figure = (performance.now() - service.began) / 1000;
    return await beside(figure, 'rancid', async () => {
      const rancid = await startRancid(frr, canary);
      return await rancid.run().finally(rancid.remove);
    });
  }),
);

/** Resident after that, once V8 has collected the garbage of the start, which takes up to 40 s. RANCID keeps no process. */
const firstMemory = lower('first-memory', 'MiB', () =>
  withFrr(async (service) => {
    await service.stored('router');
    await sleep(100_000);
    return { figure: residentMemory(service.pid) };
  }),
);

async function withFrr<T>(work: (service: Service, frr: Frr) => Promise<T>): Promise<T> {
  const frr = await startFrr({ configuration: frrConfiguration, hostname: 'bench' });
  if (frr === undefined) throw new NotRun('FRR and sshd are not installed, or may not be run');
  const yaml = `logins:
  router: { username: ${frr.username}, privateKey: key }
equipment:
  router: { model: frr, address: ${frr.host}, ports: { ssh: ${frr.port} }, login: router }`;
  try {
    return await withService({ yaml, secrets: { key: frr.privateKey } }, (service) =>
      work(service, frr),
    );
  } finally {
    await frr.close();
  }
}

/** Seconds of `ssh HOST 'show running-config'`. */
async function withSsh(server: {
  host: string;
  port: number;
  username: string;
  privateKeyFile: string;
}): Promise<number> {
  const options = ['-F', 'none', '-o', 'StrictHostKeyChecking=no', '-o', 'LogLevel=ERROR'];
  const known = ['-o', 'UserKnownHostsFile=/dev/null', '-i', server.privateKeyFile];
  const where = ['-p', String(server.port), `${server.username}@${server.host}`];
  const began = performance.now();
  const { stdout } = await run('ssh', [...options, ...known, ...where, 'show running-config']);
  if (!stdout.includes(canary)) throw new Error('ssh has not read the device');
  return (performance.now() - began) / 1000;
}

const fleet = 200;

/** 200 simulated switches in this process, ten at a time: the run that finds all of them unchanged. */
const fleet200 = lower('fleet-200', 's', () =>
  withFleet(async (service) => {
    const { seconds } = await service.run();
    return { figure: seconds };
  }),
);

/** Peak memory, with 200 devices read for the first time and once more, and a host with a file of 256 MiB. */
const memoryPeak = lower('memory-peak', 'MiB', () =>
  withFleet(async (service) => {
    await service.run();
    return { figure: peakMemory(service.pid) };
  }, largeFile),
);

const largeFile = { megabytes: 256 };
const idleSeconds = 120;

/** What it writes while nothing is due. */
const idleWrites = lower('idle-writes', 'B/min', () =>
  withFleet(async (service) => {
    // Successes are written within a minute.
    await sleep(70_000);
    const before = writtenBytes(service.pid);
    await sleep(idleSeconds * 1000);
    return { figure: (writtenBytes(service.pid) - before) / (idleSeconds / 60) };
  }),
);

const memoryIdle = lower('memory-idle', 'MiB', () =>
  withFleet(async (service) => {
    await sleep(20_000);
    return memoryOf(service.pid);
  }),
);

/** All devices read once, before the measurement. */
async function withFleet<T>(
  work: (service: Service) => Promise<T>,
  large?: { megabytes: number },
): Promise<T> {
  const switches = await Promise.all(
    Array.from({ length: fleet }, () =>
      startEdgeSwitch({ ports: 24, username: 'ubnt', password: 'bench' }),
    ),
  );
  const host = large && (await startLinuxHost());
  if (large && host === undefined) throw new NotRun('sshd is not installed');
  try {
    if (host && large)
      await host.write('/srv/image', Buffer.alloc(large.megabytes << 20, 'skolo '));
    const entries = switches.map(
      ({ port }, i) =>
        `  switch-${i + 1}: { model: edgeswitch, address: 127.0.0.1, ports: { ssh: ${port} }, login: switches }`,
    );
    const yaml = `logins:
  switches: { username: ubnt, password: password }
  hosts: { username: ${host?.username ?? 'nobody'}, privateKey: key }
equipment:
${entries.join('\n')}
${host ? `  host: { model: linux, files: ["${host.root}/srv/image"], address: 127.0.0.1, ports: { ssh: ${host.port} }, login: hosts }` : ''}`;
    const secrets = { password: 'bench', key: host?.privateKey ?? '' };
    return await withService({ yaml, secrets }, async (service) => {
      await service.idle();
      return await work(service);
    });
  } finally {
    await Promise.all(switches.map((device) => device.close()));
    await host?.close();
  }
}

process.exitCode = await runBenches(
  [device, firstBackup, firstMemory, fleet200, memoryPeak, memoryIdle, idleWrites, eventLoop],
  process.argv.slice(2),
);
