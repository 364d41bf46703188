import { readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isLong } from '@skolo/base/durable/fault-injection';
import { cleanUps } from '@skolo/base/testing';
import { readRack } from '@skolo/rack';
import { peer, startDnsmasq } from '@skolo/simulators';
import { afterEach, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { services } from './services/index.ts';
import { expectMetricsOfRules } from './testing/alert-rules.ts';
import { isRunning, processesThatName } from './testing/processes.ts';
import {
  ask,
  type DemoProcess,
  edit,
  leaveRunning,
  newFolder,
  pasted,
  shareCommands,
  shell,
  spawnDemo,
  startDemo,
} from './testing/run-demo.ts';
import { tryUses } from './testing/uses.ts';

const token = /\/token$/;
const email = /\/email$/;
const bots = 'bots@skolo-demo.iam.gserviceaccount.com';
const guests = 'guests@skolo-guests.iam.gserviceaccount.com';
/** The services, and the process that ends them when the demo is killed. Without Python there is no agent. */
const started = services.length - (peer('python3') ? 0 : 1) + 1;
/** For promises of two seconds. */
const patiently = { interval: 100 };
/** For what starts processes each time, or reads all that run. */
const rarely = { interval: 1000 };
/** An ordinary machine, one whose cable is loose, one with an old battery, one that is broken, and one without a phone. */
const eachLife = [
  'skia-rpi2-demo-shelf2-005',
  'skia-rpi2-demo-shelf2-009',
  'skia-rpi2-demo-shelf2-013',
  'skia-rpi2-demo-shelf2-017',
  'skia-e-linux-01',
];

/** The first machine's identity, in the text of rack.yaml; its place is in the error message. */
function withIdentity(identity: string) {
  return (text: string) =>
    text.replace(/(shelf1-001:\n(?:.*\n)*?\s+identity: )\w+/, `$1${identity}`);
}

/** Ends a demo by a signal, with the exit code 0 and nothing left running. */
async function endsAll(demo: DemoProcess, signal?: NodeJS.Signals): Promise<void> {
  const children = await demo.children();
  expect(await demo.end(signal)).toBe(0);
  expect(children).toHaveLength(started);
  for (const { pid } of children) expect(await isRunning(pid)).toBe(false);
}

describe('npm start, while it runs', () => {
  /** All of these look at one, or change it in ways that leave the others alone. */
  let dir: string;
  let demo: DemoProcess;
  /** By a test, which the next one may change. */
  let isEnded = false;
  const atTheEnd = cleanUps();

  beforeAll(async () => {
    await shareCommands(atTheEnd);
    dir = await newFolder(atTheEnd);
    demo = await startDemo(dir, [], atTheEnd);
  });
  afterEach(async ({ task }) => {
    if (task.result?.state !== 'fail') return;
    // The next test is not to fail because this one has left it in another state.
    console.log(demo.output);
    await demo.end();
    demo = await startDemo(dir, ['--fresh'], atTheEnd);
    isEnded = false;
  });

  it('exports the metrics that the alert rules ask for', async () => {
    await expectMetricsOfRules(demo.output);
  });

  it('prints commands that work', async (context) => {
    if (!peer('curl')) return context.skip('curl is not installed');

    const answer = JSON.parse(await pasted(demo.command(token)));
    const readiness = JSON.parse(await pasted(demo.command(/readyz/)));

    expect(answer).toMatchObject({ access_token: expect.any(String), token_type: 'Bearer' });
    expect(answer.expires_in).toBeGreaterThan(600);
    expect(await pasted(demo.command(email))).toBe(bots);
    expect(readiness).toEqual({ ready: true, degraded: [] });
    expect(await pasted(demo.command(/skolo inventory list/))).toContain(
      'skia-rpi2-demo-shelf1-001',
    );
    expect(await shell(demo.command(/skolo metadata clients/))).toMatch(
      /skia-rpi2-demo-shelf1-001 .*bots/,
    );
  });

  it('does what skolo check jumphost tries, and names what does not work', async (context) => {
    if (!peer('dnsmasq') || process.getuid?.() !== 0) return context.skip('needs dnsmasq and root');
    const file = join(dir, 'rack.yaml');
    const before = await readRack(file);
    const rack = { ...before, network: { ...before.network, gateway: '127.101.0.53' } };
    const other = { ...before, network: { ...before.network, gateway: '127.101.0.54' } };
    // The router's name server, and one that has learned something else.
    for (const { host, address } of [
      { host: '127.101.0.53', address: rack.jumphost.address },
      { host: '127.101.0.54', address: '192.0.2.9' },
    ]) {
      const args = [`--host-record=metadata.lan,${address}`];
      onTestFinished((await startDnsmasq(args, { host, port: 53 })).stop);
    }
    await expect.poll(() => tryUses(rack), rarely).toEqual([]);

    await expect
      .poll(() => tryUses(other), rarely)
      .toEqual([
        expect.stringMatching(
          /^machines cannot use the name metadata: 127\.101\.0\.54 resolves it to 192\.0\.2\.9 instead/,
        ),
      ]);
    await expect
      .poll(() => tryUses(rack, ['alert-to-pubsub']), rarely)
      .toEqual([
        expect.stringMatching(
          /^alert-to-pubsub: not tried, because no pod is running; run kubectl describe pod /,
        ),
      ]);
    // One that hangs does not stop the others.
    const children = await demo.children();
    const hung = children.find(({ command }) => command.includes('metadata-server'));
    process.kill(hung?.pid ?? 0, 'SIGSTOP');
    onTestFinished(() => void process.kill(hung?.pid ?? 0, 'SIGCONT'));
    await expect
      .poll(() => tryUses(other), rarely)
      .toEqual([
        expect.stringMatching(/^metadata-server: not tried, because it does not respond: /),
        expect.stringMatching(/^the jumphost does not get a token from .*timeout/),
        expect.stringContaining('192.0.2.9'),
      ]);
  });

  it('prints commands that show an agent, its phone and its tasks', async (context) => {
    for (const name of ['python3', 'adb', 'curl'] as const) {
      if (!peer(name)) return context.skip(`${name} is not installed`);
    }
    const machine = 'skia-rpi2-demo-shelf1-001';
    const tasks = () => ask(demo.command(/\/tasks$/));
    const status = () => ask(demo.command(/\/v1\/status/));

    await expect.poll(tasks, rarely).toMatch(/completed +skia-rpi2-demo-shelf1-001 +hello from/);
    expect(JSON.parse(await status())).toMatchObject({ machine });
    // It charges at once.
    await ask(demo.command(/\/battery\//).replace(/5$/, '20'));
    await expect
      .poll(() => shell(demo.command(/skolo machine list --agents /)), rarely)
      .toContain('battery low');
    await ask(demo.command(/\/task$/));

    await expect.poll(tasks, rarely).toMatch(/completed.*\n.*completed/);
    expect(await shell(demo.command(/skolo machine log /))).toContain('bot started');
  });

  it('prints a command that shows the state of the rack without Prometheus', async () => {
    const command = demo.command(/skolo status /);
    // As documented: 1 while its simulated machines have faults.
    const print = () => shell(`${command} || test $? = 1`);

    // machine-state may not have asked everything yet.
    await expect.poll(print, rarely).toMatch(/^demo +(ok|warning) +\d+\/41 .* [34]\/4 /m);
    const table = await print();
    expect(table).toContain('demo: this is from machine-state; TOKEN, WAITING,');
    expect(table).not.toContain('unreachable');
  });

  it('has agents that clear, repair, and show their log and screen', async () => {
    const options = demo.command(/skolo power status /).replace('npx skolo power status', '');
    const skolo = (words: string) => shell(`npx skolo machine ${words} ${options} 2>&1 || true`);
    const list = await skolo('list --json');
    const all = [...list.matchAll(/"name": "(skia-[\w-]+)"/g)].map(([, name = '']) => name);
    expect(all).toEqual(expect.arrayContaining(eachLife));

    // All others have the life of one of them. They take minutes.
    for (const name of isLong ? all : eachLife) {
      await expect.poll(() => skolo(`log ${name}`), rarely).toMatch(/ {2}(agent|bot {2}) {2}\S/);
      expect(await skolo(`clear ${name} --reason 'new cable'`)).toContain(`${name} is `);
      if (name.includes('linux')) continue;
      await expect.poll(() => skolo(`repair ${name}`), rarely).toMatch(/device .*adb-reconnect/);
      // Its phone may be missing, and a task may be running.
      const screen = `screen ${name} --fresh --force -o '${join(dir, 'screen.png')}'`;
      await expect.poll(() => skolo(screen), rarely).toContain('taken');
      const repair = `repair ${name} adb-reconnect --reason 'to see it'`;
      await expect.poll(() => skolo(repair), rarely).toContain('adb-reconnect started');
    }
  });

  it('prints a command that cycles a machine and shows each step', async () => {
    const cycle = `${demo.command(/skolo power cycle /)} 2>&1 || true`;
    let output = '';
    const print = async () => {
      output = await shell(cycle);
      return output;
    };
    // As it says, this is rejected while the machine runs a task.
    await expect.poll(print, rarely).not.toMatch(/task \w+ is running/);
    const log = await shell(demo.command(/skolo power log /));

    expect(output).toMatch(
      /turn-off +switch-1\/1 is reported as off.*switch-1\/1 is reported as on.*see-back +back after.*back +after/s,
    );
    expect(log).toMatch(/skia-rpi2-demo-shelf1-001 +cycle +back/);
  });

  it('prints commands that change the router, back it up and show the change', async (context) => {
    if (!peer('ssh')) return context.skip('ssh is not installed');

    await expect.poll(() => demo.output, patiently).toMatch(/backed up +device=router/);
    // Of the router alone: one switch of the demo hangs five minutes after the start, which are five seconds here.
    const status = await shell(`${demo.command(/skolo backup status/)} router`);
    expect(status).toMatch(/router +edgeos +ok/);

    await shell(demo.command(/printf .* ssh /));
    const run = await shell(demo.command(/skolo backup run /));
    const diff = await shell(demo.command(/skolo backup diff /));
    const restore = await shell(demo.command(/skolo backup restore /));

    expect(run).toMatch(/^router: changed after/);
    expect(diff).toMatch(/^\+ +domain-name lab\.example$/m);
    expect(restore).toContain('commit-confirm');
  });

  it('prints a command that finds a cable that is not where rack.yaml has it', async (context) => {
    if (!peer('ssh')) return context.skip('ssh is not installed');
    const cabling = () => shell(`${demo.command(/skolo check cabling /)} || true`);
    const moveTo = (port: number) => (text: string) =>
      text.replace(/uplink: switch-1\/\d(?=\n *identity: guests)/, `uplink: switch-1/${port}`);

    expect(await cabling()).toMatch(/: no problems, .*\d+ ok$/m);
    await edit(join(dir, 'rack.yaml'), moveTo(6));

    await expect
      .poll(cabling, rarely)
      .toMatch(/^skia-e-linux-01: is at switch-1\/5; expected switch-1\/6; /m);
    await edit(join(dir, 'rack.yaml'), moveTo(5));
  });

  it('prints commands that fire alerts and show them arrive', async (context) => {
    if (!peer('curl')) return context.skip('curl is not installed');

    const tail = leaveRunning(
      demo.command(/skolo alerts tail /).replace('--heartbeats --count 1', ''),
    );
    let sent = '';
    async function send() {
      sent = await shell(demo.command(/skolo alerts send /));
      return tail.output;
    }

    // What was fired before it listens is missed.
    await expect.poll(send, rarely).toMatch(/ demo +firing +SkoloTest/);
    expect(sent).toMatch(/firing +accepted after .* arrived after .*resolved +accepted/s);
    await shell(demo.command(/curl .*\/api\/v2\/alerts/));
    await expect
      .poll(() => tail.output, patiently)
      .toMatch(/ demo +firing +HostHot +warning +skia-rpi2-demo-shelf1-001/);
  });

  it('prints steps that work in the printed order, twice', async () => {
    const tasks = demo.command(/\/tasks$/);
    // The first task may still run, and a machine with a task is not power-cycled.
    await expect.poll(() => pasted(tasks), rarely).toMatch(/^(.* completed .*\n?)+$/);
    const before = (await pasted(tasks)).match(/completed/g)?.length ?? 0;

    for (let round = 1; round <= 2; round += 1) {
      // `skolo status` exits with 1 while its simulated machines have faults.
      for (const command of demo.commands()) {
        await shell(command.replace('curl', 'curl -sf').replace(/.*skolo status.*/, '$& || true'));
      }
    }

    await expect
      .poll(() => pasted(tasks), rarely)
      .toMatch(new RegExp(`(completed[^]*){${before + 2}}`));
    expect(await pasted(tasks)).not.toContain('pending');
    expect(await shell(demo.command(/skolo alerts list/))).not.toContain('HostHot');
  });

  it('has a healthy rack after its steps', async (context) => {
    for (const name of ['python3', 'adb', 'curl', 'ssh'] as const) {
      if (!peer(name)) return context.skip(`${name} is not installed`);
    }
    const list = demo.command(/skolo machine list/);

    // The battery of the phone is charged again within a minute.
    // The first half hour of the rack has passed in half a minute; only the one machine that was cycled may be noted.
    const machines = () => shell(`${list} --json`);
    await expect.poll(machines, rarely).not.toMatch(/"condition": "(?!ok")/);
    expect(await shell(list)).not.toMatch(/^(?!.*shelf1-001).*needs attention/m);
    // Services on a busy computer may be degraded for a moment.
    const status = () => shell(`${demo.command(/skolo status /)} || true`);
    await expect.poll(status, rarely).toMatch(/^demo .* 41\/41 .* 4\/4 /m);
  });

  it('keeps secrets to their owner', async () => {
    const secrets = join(dir, 'secrets');
    const entries = await readdir(secrets, { recursive: true, withFileTypes: true });
    const files = entries.filter((entry) => entry.isFile());
    const modes = await Promise.all(
      files.map(({ parentPath, name }) => stat(join(parentPath, name))),
    );

    expect(files.map(({ name }) => name)).toEqual(
      expect.arrayContaining([
        'bots.json',
        'guests.json',
        'switch-password',
        'router-key',
        'operator-token',
      ]),
    );
    for (const { mode } of modes) expect(mode & 0o777).toBe(0o600);
  });

  it('refuses to start twice in one folder', async () => {
    const second = spawnDemo(['--dir', dir]);

    expect(await second.ended).toBe(1);
    expect(second.output).toContain(`is running already (process ${demo.pid})`);
    expect(JSON.parse(await ask(demo.command(token)))).toHaveProperty('access_token');
  });

  it('applies an edit of rack.yaml', async () => {
    const before = JSON.parse(await ask(demo.command(token))).access_token;

    await edit(join(dir, 'rack.yaml'), withIdentity('guests'));

    await expect.poll(() => ask(demo.command(email)), patiently).toBe(guests);
    expect(JSON.parse(await ask(demo.command(token))).access_token).not.toBe(before);
  });

  it('makes the key of an identity that is added', async () => {
    const identity = '{ project: mine, credentials: { serviceAccountKey: secrets/mine.json } }';

    await edit(join(dir, 'rack.yaml'), (text) =>
      withIdentity('mine')(text).replace(/^identities:$/m, `$&\n  mine: ${identity}`),
    );

    const expected = 'mine@mine.iam.gserviceaccount.com';
    await expect.poll(() => ask(demo.command(email)), patiently).toBe(expected);
    expect(JSON.parse(await ask(demo.command(token)))).toHaveProperty('access_token');
  });

  it('starts a service again that ends by itself', async () => {
    const service = (await demo.children()).find(({ command }) => /metadata-server/.test(command));
    if (!service) expect.fail('no metadata-server');

    process.kill(service.pid, 'SIGKILL');

    await demo.printed(/metadata-server ended \(SIGKILL\); starting it again in 1 s/);
    await demo.printed(/listening/);
    expect(JSON.parse(await ask(demo.command(token)))).toHaveProperty('access_token');
  });

  it('starts its guard again', async () => {
    const guard = async () =>
      (await demo.children()).find(({ command }) => /guard-main/.test(command))?.pid;
    const first = await guard();
    if (!first) expect.fail('no guard');

    process.kill(first, 'SIGKILL');

    await expect.poll(guard, patiently).not.toBe(first);
    await expect.poll(guard, patiently).toEqual(expect.any(Number));
  });

  describe('across restarts', () => {
    // Each test finds one that runs with a rack.yaml without errors, or none, and leaves it so.
    const file = () => join(dir, 'rack.yaml');

    async function running(...args: string[]): Promise<DemoProcess> {
      if (isEnded) demo = await startDemo(dir, args, atTheEnd);
      isEnded = false;
      return demo;
    }

    /** With the exit code 0, and nothing left running. */
    async function end(signal?: NodeJS.Signals) {
      await endsAll(demo, signal);
      isEnded = true;
    }

    it.each([
      { error: 'a reference to nothing', to: 'gests', message: /rack\.yaml:(\d+):\d+ .*"gests"/ },
      { error: 'broken YAML', to: '[guests', message: /rack\.yaml:(\d+):\d+ (?!.*gests)/ },
    ])('rejects an edit with $error, also after a restart', async ({ to, message }) => {
      const first = await running();
      const before = await ask(first.command(email));
      const seen = first.output.length;
      let line = 0;

      await edit(file(), (text) => {
        const changed = withIdentity(to)(text);
        line = changed.slice(0, changed.indexOf(`identity: ${to}`)).split('\n').length;
        return changed;
      });

      // As it is, or the end of it.
      await expect
        .poll(() => Number(message.exec(first.output.slice(seen))?.[1]), patiently)
        .toBeOneOf([line, line + 1]);
      const [, shownLine] = message.exec(first.output.slice(seen)) ?? [];
      expect(await ask(first.command(email))).toBe(before);
      await end();
      const again = await running();
      await expect.poll(() => message.exec(again.output)?.[1], patiently).toBe(shownLine);
      expect(again.output).toContain('has errors');
      expect(await ask(again.command(email))).toBe(before);

      const [identity, after] = before === bots ? ['guests', guests] : ['bots', bots];
      await edit(file(), (text) => text.replace(`identity: ${to}`, `identity: ${identity}`));
      await expect.poll(() => ask(demo.command(email)), patiently).toBe(after);
    });

    it.each(['the guard that was started again', 'the one that it begins with'])(
      'leaves nothing running when it is killed, by %s',
      async () => {
        await running();
        await edit(file(), withIdentity('guests'));
        await expect.poll(() => ask(demo.command(email)), patiently).toBe(guests);
        const children = await demo.children();

        await demo.end('SIGKILL');
        isEnded = true;

        expect(children).toHaveLength(started);
        for (const { pid } of children) {
          await expect.poll(() => isRunning(pid), rarely).toBe(false);
        }
        // Bots and tasks are not its children.
        await expect.poll(() => processesThatName(dir), rarely).toEqual([]);
        const again = await running();
        expect(JSON.parse(await ask(again.command(token)))).toHaveProperty('access_token');
        expect(again.output).toContain('as you left it');
        expect(await ask(again.command(email))).toBe(guests);
      },
    );

    it('begins anew with --fresh', async () => {
      await running();
      await edit(file(), withIdentity('guests'));
      await end();

      const fresh = await running('--fresh');
      expect(await ask(fresh.command(email))).toBe(bots);
    });

    it('uses what it can of a file with errors where there is no other version', async () => {
      await running();
      await end();
      const text = await readFile(file(), 'utf8');
      await edit(file(), withIdentity('gests'));
      await rm(join(dir, 'state'), { recursive: true });

      const disabled = await running();

      await expect.poll(() => disabled.output, patiently).toMatch(/rack\.yaml:\d+:\d+ .*"gests"/);
      // What it prints to try is for a machine that is not disabled.
      const command = disabled.command(email);
      expect(await ask(command)).toBe(bots);
      const asDisabled = command.replace(/(--interface \S+)\.\d+ /, '$1.1 ');
      expect(await ask(asDisabled)).toContain('403');
      await edit(file(), () => text);
      await expect.poll(() => ask(asDisabled), patiently).toBe(bots);
    });

    it('prints what to do when no part of the file can be used', async () => {
      if (!isEnded) await end('SIGTERM');
      const text = await readFile(file(), 'utf8');
      await edit(file(), () => 'rack: [\n');
      await rm(join(dir, 'state'), { recursive: true });

      const rejected = spawnDemo(['--dir', dir]);

      expect(await rejected.ended).toBe(78);
      expect(rejected.output).toMatch(/rack\.yaml:1:7 /);
      expect(rejected.output).toContain('npm start -- --fresh');
      await edit(file(), () => text);
    });
  });
});

const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

describe('npm start, three times at once', () => {
  let demos: DemoProcess[];
  const atTheEnd = cleanUps();

  beforeAll(async () => {
    const folders = await Promise.all(signals.map(() => newFolder(atTheEnd)));
    // At once, so that some of them lose a port between looking and listening.
    demos = await Promise.all(folders.map((dir) => startDemo(dir, [], atTheEnd)));
  });

  it('has addresses and equipment of its own each time', async () => {
    expect(new Set(demos.map((demo) => demo.command(token))).size).toBe(signals.length);
    expect(new Set(demos.map((demo) => demo.command(/readyz/))).size).toBe(signals.length);
    for (const demo of demos) {
      expect(demo.output).not.toContain('not simulated');
      expect(demo.output).toContain('5 pieces of equipment and 41 machines');
      expect(JSON.parse(await ask(demo.command(token)))).toHaveProperty('access_token');
    }
  });

  it.each(signals)('of which one leaves nothing running after %s', async (signal) => {
    const demo = demos[signals.indexOf(signal)];
    if (!demo) expect.fail('no demo');
    await endsAll(demo, signal);
  });
});

describe('npm start', () => {
  it('can be ended while it starts', async () => {
    const dir = await newFolder();
    const demo = spawnDemo(['--dir', dir]);
    const soon = { interval: 20 };
    await expect.poll(() => demo.children(), soon).not.toEqual([]);
    const children = await demo.children();

    expect(await demo.end()).toBe(0);

    for (const { pid } of children) expect(await isRunning(pid)).toBe(false);
    expect(await readdir(dir)).not.toContain('lock');
  });

  it('does not touch a rack.yaml that is not its own', async () => {
    const dir = await newFolder();
    const file = join(dir, 'rack.yaml');
    await writeFile(file, 'rack: mine\n');

    const demo = spawnDemo(['--dir', dir, '--fresh']);

    expect(await demo.ended).toBe(1);
    expect(demo.output).toContain(`${file} is not the demo's`);
    expect(await readdir(dir)).toEqual(['rack.yaml']);
    expect(await readFile(file, 'utf8')).toBe('rack: mine\n');
  });

  it('prints what to do about a folder that it cannot use', async () => {
    const file = join(await newFolder(), 'file');
    await writeFile(file, '');

    const demo = spawnDemo(['--dir', join(file, 'demo')]);

    expect(await demo.ended).toBe(1);
    expect(demo.output).toBe(
      `${file}/demo/rack.yaml: a part of the path is a file. Give another folder: npm start -- --dir DIR.\n`,
    );
  });

  it('explains a wrong command line', async () => {
    const demo = spawnDemo(['--frehs']);

    expect(await demo.ended).toBe(2);
    expect(demo.output).toMatch(/'--frehs'.*usage: npm start/s);
  });
});

describe('npm start -- --rack', () => {
  /** A service takes from the environment what is not in its flags. */
  async function environment() {
    const SKOLO_STATE_DIR = join(await newFolder(), 'state', 'metadata-server');
    return { SKOLO_PORT: '0', SKOLO_METRICS_PORT: '0', SKOLO_HOST: '127.0.0.1', SKOLO_STATE_DIR };
  }

  it('runs the services with that file, and nothing else', async () => {
    const file = join(await newFolder(), 'rack.yaml');
    // Every caller with an identity gets the name, also when its key is missing.
    const text = `rack: mine
jumphost: { name: jumphost-mine, address: 127.0.0.1, identity: bots }
identities: { bots: { project: my-project, credentials: { serviceAccountKey: bots.json } } }
`;
    await writeFile(file, text);

    const rack = spawnDemo(['--rack', file], await environment());
    const [, port] = await rack.printed(/rack\.yaml runs: .*metadata-server at port (\d+)/);

    const url = `http://127.0.0.1:${port}/computeMetadata/v1/instance/name`;
    expect(await ask(url)).toBe('jumphost-mine');
    expect(await rack.end()).toBe(0);
    expect(await readFile(file, 'utf8')).toBe(text);
  });

  it('ends as the service does that cannot start', async () => {
    const file = join(await newFolder(), 'rack.yaml');
    await writeFile(file, 'rack: mine\njumphost: { name: jumphost-mine, adress: 127.0.0.1 }\n');

    const rack = spawnDemo(['--rack', file], await environment());

    expect(await rack.ended).toBe(78);
    expect(rack.output).toMatch(/rack\.yaml:2:\d+ .*adress/);
    // Whichever service is the first to end.
    expect(rack.output).toMatch(/[a-z-]+ ended before it served \(exit code 78\)/);
  });
});
