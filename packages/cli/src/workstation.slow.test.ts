/** attach and kubectl as a person uses them: real processes, a real pseudo-terminal, ssh, sshd, kubectl, API server. */

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { brotliCompressSync } from 'node:zlib';
import { countRounds } from '@skolo/base/durable/fault-injection';
import { run, tempDir } from '@skolo/base/testing';
import { missing, startCluster, startWorkstation, type Workstation } from '@skolo/fleet/testing';
import { type ControlPlane, lacks, peer } from '@skolo/simulators';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { CommandLines } from './testing/command-lines.ts';
import { canTty } from './testing/session.ts';

const main = fileURLToPath(new URL('main.ts', import.meta.url));
const absent = missing();
const noTty = (await canTty()) ? undefined : 'script of util-linux is not there';
let cluster: ControlPlane | undefined;
let workstation: Workstation | undefined;
let commandLines: CommandLines;

describe.skipIf(absent)('skolo', () => {
  beforeAll(async () => {
    commandLines = new CommandLines();
    cluster = await startCluster();
    workstation = await startWorkstation(cluster);
    // Nothing listens on port 1; on a service's usual port, another test may.
    const text = `rack: rack4
jumphost: { name: jumphost-rack4, address: 127.0.0.1 }
services: { alert-to-pubsub: { url: "http://127.0.0.1:1" } }
machines: { rpi-[007-008]: { kind: rpi, address: '192.168.1.[7-8]' } }
`;
    await writeFile(join(workstation.rack.overlay, 'rack.yaml'), text);
  });
  afterAll(async () => {
    await commandLines?.close();
    await workstation?.close();
    await cluster?.close();
  });

  it('attach is one way for all programs in it, which outlives interruptions, and leaves nothing behind', async () => {
    const ofSkolo = `'${process.execPath}' '${main}' alerts status`;
    const first = 'kubectl get namespace skolo -o name; echo $SKOLO_ON is ready; read x';
    const script = `${first}; ${ofSkolo}; echo asked $?; read x; kubectl get ns; exit 5`;
    const skolo = start('attach', 'rack4', '--', 'sh', '-c', script);
    await skolo.prints('ready');
    expect(skolo.out()).toBe('namespace/skolo\nrack4 is ready\n');

    const relay = workstation?.jumphost.relay;
    relay?.inject({ at: /^SSH-/, effect: 'reset' });
    onTestFinished(() => relay?.mend());
    skolo.type('\n');
    await skolo.prints('asked 1');
    // The service does not respond, rather than the jumphost.
    expect(skolo.err()).toMatch(/^skolo: http:\/\/127\.0\.0\.1:1: .*connection refused/);

    // Stopped for a while, so that the jumphost has given it up.
    relay?.mend();
    await signalGroup(skolo.child, 'SIGSTOP');
    relay?.cut();
    await signalGroup(skolo.child, 'SIGCONT');
    skolo.type('\n');

    expect(await skolo.ended).toEqual({ code: 5, signal: null });
    expect(skolo.out()).toContain('skolo-node');
    expect(await left()).toEqual([]);
  });

  it('attach --print serves other programs until it is stopped', async () => {
    const skolo = start('attach', 'rack4', '--print');
    await skolo.prints('export SKOLO_ON=rack4');
    const kubeconfig = /KUBECONFIG=(.*)/.exec(skolo.out())?.[1];

    const { stdout } = await run('kubectl', ['get', 'ns', 'skolo', '-o', 'name'], {
      env: { ...workstation?.env, KUBECONFIG: kubeconfig },
    });

    expect(stdout).toBe('namespace/skolo\n');
    skolo.child.kill('SIGTERM');
    await skolo.ended;
    expect(await left()).toEqual([]);
  });

  it('push resume continues what another workstation has left in the rack', async () => {
    const { rack, env = {} } = workstation ?? {};
    const overlay = rack?.overlay ?? '';
    await writeFile(join(overlay, 'kustomization.yaml'), 'resources: []\n');
    const lines = [
      'init -q',
      'config user.name Bob',
      'config user.email b@x',
      'add .',
      'commit -qm x',
    ];
    for (const line of lines)
      await run('git', line.split(' '), { cwd: join(overlay, '../..'), env });
    const wanted = {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'pushed', namespace: 'skolo' },
    };
    const key = 'core/ConfigMap skolo/pushed';
    const object = { key, wanted, action: 'create', changes: [], setBack: [], added: [] };
    const plan = { objects: [object], deletions: [], unhealthy: [], silent: [], held: [] };
    const id = '2026-11-26T18-10-19Z-0a1b2c';
    const at = '2026-11-26T18:10:19Z';
    const request = {
      ...{ id, startedAt: at, by: 'Ann', why: 'a test', services: [], isRollback: false },
      ...{ racks: ['rack4', 'rack5'], canaries: 1, soakMs: 0, onFailure: 'stop' },
    };
    const record = { rack: 'rack4', state: 'rolling-out', pins: [], previous: [], plan, at };
    const push = { id, by: 'Ann', isApplied: false, restore: [], remove: [wanted] };
    const bytes = brotliCompressSync(JSON.stringify({ ...push, record: { request, record } }));
    await cluster?.kubectl(['create', '-f', '-'], {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: 'skolo-push', namespace: 'skolo' },
      data: { 'push.json.br': bytes.toString('base64') },
    });

    const rejected = await printed({}, 'push', '--racks', 'rack4', '--reason', 'x', '--yes');
    const { out, err, exitCode } = await printed({}, 'push', 'resume');

    expect(rejected.err).toContain(`rack4: push ${id} by Ann is unfinished; run skolo push resume`);
    expect(err).toContain('rack5: ');
    expect(out).toMatch(/rack4 +done /);
    expect(exitCode).toBe(3);
    const names = await cluster?.kubectl(['get', 'cm,secret', '-n', 'skolo', '-o', 'name']);
    expect(names).toContain('configmap/pushed');
    expect(names).not.toContain('secret/skolo-push');
  });

  const rounds = Array.from({ length: countRounds(1, 50) }, (_, at) => at);

  it.each<NodeJS.Signals>(['SIGKILL', 'SIGHUP', 'SIGTERM'])(
    'attach leaves nothing behind after %s',
    async (signal) => {
      for (const _ of rounds) {
        const skolo = start('attach', 'rack4', '--', 'sh', '-c', 'echo ready; exec sleep 1000');
        await skolo.prints('ready');

        skolo.child.kill(signal);

        await skolo.ended;
        await expect.poll(left).toEqual([]);
      }
    },
  );

  it.skipIf(noTty)(
    'attach starts a shell whose prompt names the rack, and Ctrl-C in it ends its command, and not the tunnel',
    async () => {
      const skolo = startInTerminal('attach rack4');
      await skolo.prints('(rack4) ');
      skolo.type('echo started; sleep 1000\n');
      await skolo.prints('\nstarted');

      skolo.type('\x03');
      skolo.type('kubectl config current-context && kubectl get ns skolo -o name && exit 3\n');

      expect(await skolo.ended).toEqual({ code: 3, signal: null });
      expect(skolo.out()).toContain('\r\nrack4\r\nnamespace/skolo\r\n');
      expect(await left()).toEqual([]);
    },
  );

  it.skipIf(noTty ?? lacks('zsh'))('attach names the rack in the prompt of zsh', async () => {
    const home = await tempDir();
    await writeFile(join(home, '.zshrc'), "PROMPT='%# mine '\n");
    const zsh = { SHELL: peer('zsh') ?? '', ZDOTDIR: home };
    const skolo = startInTerminal('attach rack4', zsh);
    await skolo.prints('(rack4) # mine ');

    skolo.type('kubectl config current-context; echo $ZDOTDIR; exit 4\n');

    expect(await skolo.ended).toEqual({ code: 4, signal: null });
    expect(skolo.out()).toContain(`\r\nrack4\r\n${home}\r\n`);
    expect(await left()).toEqual([]);
  });

  it.skipIf(noTty)('Ctrl-C ends a command without a shell', async () => {
    const skolo = startInTerminal('attach rack4 -- sh -c \\"echo started\\; exec sleep 1000\\"');
    await skolo.prints('started');

    skolo.type('\x03');

    await skolo.ended;
    await expect.poll(left).toEqual([]);
  });

  it.skipIf(noTty)('attach ends with its terminal', async () => {
    for (const _ of rounds) {
      const skolo = startInTerminal('attach rack4');
      await skolo.prints('(rack4) ');

      skolo.child.kill('SIGKILL');

      await expect.poll(left).toEqual([]);
    }
  });

  it('kubectl goes on with a watch when the tunnel is cut', async () => {
    await createConfigMap('first');
    const skolo = start('kubectl', 'rack4', 'get', 'configmaps', '-n', 'skolo', '-w', '-o', 'name');
    await skolo.prints('configmap/first');

    for (const round of Array.from({ length: countRounds(2, 50) }, (_, at) => at)) {
      workstation?.jumphost.relay.cut();
      await createConfigMap(`after-${round}`);
      await skolo.prints(`configmap/after-${round}\n`);
    }

    skolo.child.kill('SIGTERM');
    await skolo.ended;
    expect(skolo.err()).toContain('skolo: rack4: the watch was interrupted; restarting it');
    expect(await left()).toEqual([]);
  });

  it('kubectl goes on with a watch when the API server is started again', async () => {
    await createConfigMap('before');
    const skolo = start('kubectl', 'rack4', 'get', 'configmaps', '-n', 'skolo', '-w', '-o', 'name');
    await skolo.prints('configmap/before');

    await cluster?.killApiServer();
    await cluster?.startApiServer();
    await createConfigMap('after');
    await skolo.prints('configmap/after\n');

    skolo.child.kill('SIGTERM');
    await skolo.ended;
    expect(await left()).toEqual([]);
  });

  it('status shows all racks, the worst first', async () => {
    const folder = await withPrometheus();
    onTestFinished(() => rm(folder, { recursive: true, force: true }));
    const PATH = `${folder}:${workstation?.env.PATH}`;

    const watched = startWith({ PATH }, 'status', 'rack4', '--watch');
    await watched.prints('MachineMissing');
    watched.child.kill('SIGINT');

    const shown = await printed({ PATH }, 'status');
    expect(shown).toMatchObject({
      exitCode: 1,
      out: `2 racks: 1 unreachable, 1 critical

RACK   STATE         OK  UNHEALTHY  HELD  SILENT  ALERTS   TOKEN  BACKUP  POWER  WAITING  DISK  REBOOT     CERT  VERSION
rack5  unreachable    -          -     -       -       -       -       -      -        -     -       -        -  -
rack4  critical     3/5          1     1       1       4  30 min    20 h    2/3        4   74%       1  12 days  1.2.0

rack5: jumphost-rack5: no such host name; check your VPN and DNS
rack4: down: router-backup
rack4: alerts failing; run skolo alerts status --on rack4
rack4: MachineMissing (critical), ImageStoreDamaged ×2, TokenExpires
`,
    });
    const asked = await printed({ PATH }, 'status', 'rack4', '--json');
    expect(asked.exitCode).toBe(1);
    expect(JSON.parse(asked.out)).toMatchObject({
      racks: [{ name: 'rack4', state: 'critical', machines: { all: 5, silent: 1, held: 1 } }],
    });
    expect(await watched.ended).toEqual({ code: 0, signal: null });
    // No Prometheus runs in the cluster itself.
    const without = await printed({}, 'status', 'rack4');
    expect(without.exitCode).toBe(1);
    expect(without.out).toContain('1 rack: 1 unknown\n');
    expect(without.out).toContain('rack4: Prometheus cannot be queried: ');
    expect(await left()).toEqual([]);
  });

  it('logs finds the pods of a service, and the agent of a machine', async () => {
    await createPod('metadata-server-x', 'skolo-node', 'metadata-server', 'jumphost-rack4');
    await createPod('swarming-client-x', 'skolo-node', 'swarming-client', 'rpi-001');
    await fakeKubectlFor('logs');

    const service = start('logs', 'rack4', 'metadata-server', '-f');
    const machine = start('logs', 'rack4', 'rpi-001', '--lines', '7');
    const unknown = await printed({}, 'logs', 'rack4', 'rpi-01');

    await Promise.all([service.ended, machine.ended]);
    expect(service.out()).toBe(
      '^[ckubectl logs -n skolo-node -l app.kubernetes.io/name=metadata-server --prefix --max-log-requests=1000 --all-containers --tail=100 --follow\n',
    );
    expect(machine.out()).toBe(
      '^[ckubectl logs -n skolo-node swarming-client-x --all-containers --tail=7\n',
    );
    expect(unknown.err).toContain('did you mean "rpi-001"?');
    expect(await left()).toEqual([]);
  });

  it('shell is in the pod of the agent, or on its phone, and on record', async () => {
    const record = join(workstation?.env.HOME ?? '', 'record');
    await workstation?.jumphost.program('logger', `echo "$@" >> '${record}'`);
    await createPod('swarming-client-y', 'skolo-node', 'swarming-client', 'rpi-007');
    const running = '{"status":{"phase":"Running"}}';
    const pod = ['pod', 'swarming-client-y', '-n', 'skolo-node'];
    await admin('patch', ...pod, '--subresource=status', '--type=merge', `-p=${running}`);
    await fakeKubectlFor('exec');

    const bot = start('shell', 'rpi-007', '--bot');
    const phone = start('shell', 'rpi-007', '--adb', 'R58M123');
    const none = await printed({}, 'shell', 'rpi-008', '--bot');

    await Promise.all([bot.ended, phone.ended]);
    expect(bot.out()).toBe(
      'kubectl exec -i -n skolo-node swarming-client-y -- sh -c command -v bash > /dev/null && exec bash; exec sh\n',
    );
    expect(phone.out()).toBe(
      'kubectl exec -i -n skolo-node swarming-client-y -- adb -s R58M123 shell\n',
    );
    expect(none.err).toContain("rpi-008: the agent's pod is not running on this machine");
    const lines = await readFile(record, 'utf8');
    expect(lines).toContain("shell in the agent's pod on rpi-007");
    expect(lines).toContain('shell on phone R58M123 of rpi-007');
    expect(await left()).toEqual([]);
  });

  it('forward finds a Service of the cluster', async () => {
    await admin('create', 'service', 'clusterip', 'prometheus', '-n', 'skolo', '--tcp=9090');

    const unknown = await printed({}, 'forward', 'rack4', 'promtheus');
    const known = start('forward', 'rack4', 'prometheus');

    await known.prints('.localhost:');
    known.child.kill('SIGTERM');
    await known.ended;
    expect(known.out()).toMatch(/^http:\/\/[0-9a-f]{36}\.localhost:\d+\/\n$/);
    expect(unknown.err).toContain('did you mean "prometheus"?');
    expect(await left()).toEqual([]);
  });

  it.skipIf(noTty)('login does not show the token that is typed', async () => {
    const folder = await tempDir();
    const rack = join(folder, 'rack.yaml');
    // Another test may have a daemon on its usual port.
    const daemon = 'power-cycle-daemon: { url: "http://127.0.0.1:1" }';
    await writeFile(
      rack,
      `rack: rack4\njumphost: { name: jumphost, address: 127.0.0.1 }\nservices: { ${daemon} }\n`,
    );
    const skolo = startInTerminal(`login rack4 --rack ${rack}`, { XDG_CONFIG_HOME: folder });
    await skolo.prints('token for rack4: ');

    skolo.type('of-ann\r');

    expect(await skolo.ended).toEqual({ code: 0, signal: null });
    expect(await readFile(join(folder, 'skolo/tokens/rack4'), 'utf8')).toBe('of-ann\n');
    expect(skolo.out()).not.toContain('of-ann');
    expect(skolo.out()).toContain('the token was not tested');
  });

  it('names what is wrong in one line', async () => {
    const missing = start('attach', 'rack4', '--', 'no-such-program');
    expect((await missing.ended).code).toBe(127);
    expect(missing.err()).toBe('skolo: no-such-program: no such program; install it\n');
    const unknown = await printed({}, 'attach', 'rakc4');
    expect(unknown.exitCode).toBe(2);
    expect(unknown.err).toMatch(/^skolo: rakc4: no such rack in .*; did you mean "rack4"\?\n$/);
    const gone = await printed(
      {},
      'kubectl',
      '--role',
      'operate',
      'rack5',
      'get',
      'pods',
      '--role',
    );
    expect(gone.exitCode).toBe(1);
    expect(gone.err).toMatch(/^skolo: rack5: jumphost-rack5: no such host name; [^\n]*\n$/);
  });

  // The last test, because what it installs stays in the cluster.
  it('pi testbed deploys the testbed that comes with the command if there is no clone', async () => {
    const options = ['--cluster', 'rack4', '--within', '1s'];

    const { out, err } = await printed({}, 'pi', 'testbed', 'up', ...options);

    expect(out, err).toMatch(/^namespaces +ready +[1-9]/m);
    // There is no node here, so no pod becomes ready.
    expect(out).toMatch(/^grafana +failed +[1-9].*did not become ready in time/m);
    expect(out + err).not.toContain('no such');
  });
});

/** A kubectl with a response of Prometheus, because no pods run behind the API server. */
async function withPrometheus(): Promise<string> {
  const samples: (readonly [figure: string, value: number, labels?: object])[] = [
    ['services', 1, { service: 'metadata-server', version: '1.2.0' }],
    ['down', 0, { job: 'router-backup' }],
    ['alerts', 1, { alertname: 'MachineMissing', severity: 'critical' }],
    ['alerts', 1, { alertname: 'TokenExpires', severity: 'warning' }],
    ...['rpi-1', 'rpi-2'].map(
      (machine) =>
        ['alerts', 1, { alertname: 'ImageStoreDamaged', severity: 'warning', machine }] as const,
    ),
    ...['rpi-1', 'rpi-2', 'rpi-3', 'rpi-4', 'rpi-5'].map(
      (machine, at) => ['machines', at && 1, { machine }] as const,
    ),
    ...['rpi-2', 'rpi-3', 'rpi-4'].map(
      (machine) => ['health', 1, { machine, verdict: 'ok' }] as const,
    ),
    ['health', 1, { machine: 'rpi-5', verdict: 'quarantined' }],
    ...Object.entries({ held: 1, controllers: 3, controllersUp: 2 }),
    ...Object.entries({ token: 1800, backupAge: 72_000, waiting: 4, disk: 0.74, reboots: 1 }),
    ['certificate', 12.5 * 86_400],
    ['delivery', 1, { state: 'failing' }],
  ];
  const result = samples.map(([name, value, labels]) => ({
    metric: { figure: name, ...labels },
    value: [0, String(value)],
  }));
  const folder = await mkdtemp(join(tmpdir(), 'skolo-status-'));
  const answer = JSON.stringify({ data: { resultType: 'vector', result } });
  const prometheus = '/api/v1/namespaces/skolo/services/prometheus:9090/proxy/api/v1/query';
  await writeFile(
    join(folder, 'kubectl'),
    `#!/bin/sh
case "$*" in
  "get --raw ${prometheus}?"*) '${peer('kubectl')}' get --raw /readyz > /dev/null && echo '${answer}' ;;
  *) exec '${peer('kubectl')}' "$@" ;;
esac
`,
    { mode: 0o755 },
  );
  return folder;
}

function start(...args: string[]) {
  return startWith({}, ...args);
}

/** For a command that starts no program with its own output. */
async function printed(variables: Record<string, string>, ...args: string[]) {
  const env = { ...environment(), ...variables };
  const { stdout, stderr, exitCode } = await commandLines.run({ args, dir: '/', env });
  return { out: Buffer.from(stdout).toString(), err: stderr, exitCode };
}

function environment(): NodeJS.ProcessEnv {
  return { ...workstation?.env, SKOLO_CLUSTERS: workstation?.clusters };
}

function startWith(variables: Record<string, string>, ...args: string[]) {
  const env = { ...environment(), ...variables };
  return watched(spawn(process.execPath, [main, ...args], { env, detached: true }));
}

/** In a pseudo-terminal of util-linux' script, with bash. */
function startInTerminal(line: string, variables: Record<string, string> = {}) {
  const env = { ...environment(), SHELL: '/bin/bash', TERM: 'dumb', ...variables };
  const command = `${process.execPath} ${main} ${line}`
    .replaceAll('\\"', '"')
    .replaceAll('\\;', ';');
  return watched(spawn('script', ['-qec', command, '/dev/null'], { env, detached: true }));
}

function watched(child: ChildProcess) {
  onTestFinished(() => void child.kill('SIGKILL'));
  const said = { out: '', err: '' };
  child.stdout?.on('data', (data) => {
    said.out += data;
  });
  child.stderr?.on('data', (data) => {
    said.err += data;
  });
  return {
    child,
    out: () => said.out,
    err: () => said.err,
    type: (text: string) => child.stdin?.write(text),
    prints: (text: string) => expect.poll(() => said.out + said.err).toContain(text),
    ended: once(child, 'close').then(([code, signal]) => ({ code, signal })),
  };
}

async function left(): Promise<string[] | undefined> {
  return await workstation?.left();
}

async function signalGroup({ pid = 0 }: ChildProcess, signal: NodeJS.Signals) {
  process.kill(-pid, signal);
}

async function createConfigMap(name: string): Promise<void> {
  await admin('create', 'configmap', name, '-n', 'skolo');
}

async function admin(...args: string[]): Promise<void> {
  const env = { ...process.env, KUBECONFIG: cluster?.kubeconfig };
  await run(peer('kubectl') ?? '', args, { env });
}

/** It does not run: no kubelet has the node. */
async function createPod(name: string, namespace: string, service: string, node: string) {
  const account = JSON.stringify({ spec: { nodeName: node, automountServiceAccountToken: false } });
  await admin('create', 'serviceaccount', 'default', '-n', namespace).catch(() => {});
  const labels = `--labels=app.kubernetes.io/name=${service}`;
  await admin('run', name, '-n', namespace, '--image=a', labels, `--overrides=${account}`);
}

/** A kubectl that prints its arguments for requests that only a kubelet can answer. A log begins with ESC c, which resets a terminal. */
async function fakeKubectlFor(verb: 'logs' | 'exec'): Promise<void> {
  const reset = verb === 'logs' ? '\\033c' : '';
  const file = join(workstation?.jumphost.bin ?? '', 'kubectl');
  const text = `#!/bin/sh\n[ "$1" != ${verb} ] || { printf '${reset}'; echo "kubectl $*"; exit; }\nexec '${peer('kubectl')}' "$@"\n`;
  await writeFile(file, text, { mode: 0o755 });
  onTestFinished(() => rm(file));
}
