import { cp, readFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { listen, run, tempDir } from '@skolo/base/testing';
import { runPipeline, testbedDown, testbedUp, verifyTestbed } from '@skolo/fleet/testbed';
import { kubectlAt } from '@skolo/fleet/testing';
import { type ControlPlane, lacks, peer, startControlPlane } from '@skolo/simulators';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { kubeFolder, noKubectl, usableKubectl } from '../kustomize.ts';

const program = peer('control-plane');
const path = usableKubectl();
const folder = join(kubeFolder, 'testbed');
const nfs = { server: '10.1.1.1', path: '/srv/nfs' };
const { signal } = new AbortController();
const label = 'app.kubernetes.io/part-of=skolo-testbed';
/** Time limit of the commands, which a busy computer does not reach. */
const withinMs = 3_600_000;
const digest = `sha256:${'a'.repeat(64)}`;
const allReady = Array(9).fill('ready');

let plane: ControlPlane | undefined;

// What one test leaves, the next one begins with.
describe.skipIf(noKubectl ?? lacks('control-plane'))('the testbed on a cluster', () => {
  beforeAll(async () => {
    const nodes = [{ name: 'pi-1' }, { name: 'pi-2' }];
    plane = await startControlPlane(program ?? '', path ?? '', { nodes });
  });
  afterAll(() => plane?.close());

  it('names parts that need a volume where the cluster has none, and goes on with the others', async () => {
    const results = await up();

    expect(results.map(({ part, state }) => `${part}: ${state}`)).toEqual([
      'namespaces: ready',
      'storage: skipped',
      'metrics-server: ready',
      'prometheus: ready',
      'grafana: ready',
      'dashboard: ready',
      'registry: failed',
      'pipeline: failed',
      'jenkins: skipped',
    ]);
    expect(results.at(-2)?.why).toContain('specify an NFS server with --nfs SERVER:/PATH');
  });

  it('is ready with an NFS server, and a second run changes nothing', async () => {
    // The provisioner does not run here.
    await makeVolumes();

    const first = await up({ nfs, jenkins: true });
    const versions = await versionsOfAll();
    // The server is known from the first.
    const second = await up();

    expect(first.map(({ state }) => state)).toEqual(allReady);
    expect(second.map(({ state }) => state)).toEqual(allReady);
    expect(second.map(({ changed }) => changed)).toEqual(Array(9).fill(0));
    expect(await versionsOfAll()).toBe(versions);
    const claim = 'jsonpath={.spec.nfs.server}:{.spec.nfs.path}';
    expect(await kubectl('get', 'pv', 'testbed-nfs', '-o', claim)).toBe('10.1.1.1:/srv/nfs');
    await expect(up({ nfs: { ...nfs, server: '10.1.1.2' } })).rejects.toThrow(
      'volumes are on 10.1.1.1:/srv/nfs',
    );
  });

  it('gives Grafana a password of its own', async () => {
    const password = await kubectl(
      ...['get', 'secret', '-n', 'testbed', 'grafana'],
      ...['-o', 'go-template={{.data.password|base64decode}}'],
    );

    expect(password).toMatch(/^[\w-]{24}$/);
  });

  it('names a part that fails, and the others stay ready', async () => {
    const copy = await tempDir();
    await cp(folder, copy, { recursive: true });
    const grafana = join(copy, 'grafana/grafana.yaml');
    const text = await readFile(grafana, 'utf8');
    await writeFile(grafana, text.replace('grafana:13.1.1@', 'grafana:13.1.1-crash@'));
    await writeFile(join(copy, 'dashboard/kustomization.yaml'), 'resources: [nothing.yaml]\n');

    const results = await up({ folder: copy });

    const failed = results.filter(({ state }) => state === 'failed');
    expect(failed.map(({ part }) => part)).toEqual(['grafana', 'dashboard']);
    expect(failed[0]?.why).toContain('Deployment testbed/grafana: pi-');
    expect(failed[0]?.why).toContain('keeps crashing');
    expect(failed[1]?.why).toContain('nothing.yaml');
    // It comes back.
    expect((await up()).map(({ state }) => state)).toEqual(allReady);
  });

  it('names the Service that has the port of Grafana', async () => {
    await kubectl('delete', 'service', '-n', 'testbed', 'grafana');
    const other = ['nodeport', 'of-somebody', '-n', 'default', '--tcp=80', '--node-port=31000'];
    await kubectl('create', 'service', ...other);

    const results = await up();

    const failed = results.filter(({ state }) => state === 'failed');
    expect(failed.map(({ part, why }) => `${part}: ${why}`)).toEqual([
      'grafana: node port 31000 belongs to Service default/of-somebody; give that Service another nodePort, and run the command again',
    ]);
    await kubectl('delete', 'service', '-n', 'default', 'of-somebody');
    expect((await up()).map(({ state }) => state)).toEqual(allReady);
  });

  it('deletes what an earlier version had, and nothing of others', async () => {
    const old = `
apiVersion: v1
kind: ConfigMap
metadata: { name: old, namespace: testbed, labels: { app.kubernetes.io/part-of: skolo-testbed } }
`;
    const apply = ['apply', '--server-side', '--field-manager=skolo', '-f', '-'];
    await cluster().kubectl(apply, { input: old });
    await kubectl('create', 'configmap', 'of-somebody', '-n', 'testbed');

    await up();

    const left = await kubectl('get', 'configmaps', '-n', 'testbed', '-o', 'name');
    expect(left).not.toContain('configmap/old\n');
    expect(left).toContain('configmap/of-somebody\n');
  });

  it('deploys by digest what has both platforms, with the rights of the pipeline', async () => {
    const whole = await deploy(['linux/arm64', 'linux/arm/v7']);
    const half = await deploy(['linux/arm64']);

    expect(whole).toMatchObject({ code: 0, stdout: expect.stringContaining(`@${digest}: runs`) });
    expect(whole.image).toBe(`127.0.0.1:30022/demo@${digest}\n`);
    expect(half.code).toBe(1);
    expect(half.stderr).toContain('the image has nothing for linux/arm/v7');
    const image = ['-o', 'jsonpath={.spec.template.spec.containers[0].image}'];
    const found = await kubectl('get', 'deployment', '-n', 'testbed-demo', 'demo', ...image);
    expect(found).toBe(`127.0.0.1:30022/demo@${digest}`);
    const account = '--as=system:serviceaccount:testbed-build:pipeline';
    const may = (...what: string[]) =>
      kubectl('auth', 'can-i', ...what, account).then(
        () => true,
        () => false,
      );
    expect(await may('patch', 'deployments', '-n', 'testbed-demo')).toBe(true);
    expect(await may('patch', 'deployments', '-n', 'testbed')).toBe(false);
    expect(await may('get', 'secrets', '-n', 'testbed')).toBe(false);
  });

  it('runs the pipeline, and shows its steps and its report', async () => {
    const said: string[] = [];

    const running = runPipeline(answering({ 'results:80': '# Run run-1\n' }), {
      name: 'run-1',
      withinMs,
      pollMs: 200,
      signal,
      report: (text) => said.push(text),
    });
    await endPod('run-1', 0);

    expect(await running).toEqual({
      report: '# Run run-1\n',
      url: expect.stringMatching(/^http:\/\/.+:30021\/run-1\/$/),
    });
    expect(said).toContain('build: done');
  });

  it('is run by a job of Jenkins, with the rights of Jenkins', async () => {
    const account = await accountFolder('testbed', 'jenkins');
    const env = { ...process.env, API_URL: await apiUrl(), ACCOUNT_FOLDER: account };
    const script = join(folder, 'jenkins/run-pipeline.sh');

    const running = run(script, { env: { ...env, BUILD_NUMBER: '7' }, cwd: account });
    await expect.poll(() => jobsLike('jenkins-7'), { interval: 200 }).toHaveLength(1);
    const [name = ''] = await jobsLike('jenkins-7');
    await endPod(name, 0);
    const { stdout } = await running;

    expect(stdout).toContain(`run ${name}\n`);
    expect(stdout).toContain('== build\n');
    expect(stdout).toContain(`run ${name}: Complete\n`);
  });

  it('says which step failed, and how its log ends', async () => {
    const running = runPipeline(cluster(), {
      name: 'run-2',
      withinMs,
      pollMs: 200,
      signal,
      report() {},
    });
    const failure = running.catch((error: Error) => error.message);
    await endPod('run-2', 1);

    expect(await failure).toMatch(/^run run-2: step test failed \(exit 1\): .*kubectl logs/s);
  });

  it('verifies each part, and says what is wrong', async () => {
    const well = {
      'metrics.k8s.io': JSON.stringify({ items: ['pi-1', 'pi-2'].map(named) }),
      'prometheus:9090': targets('up'),
      'dashboard:80': '<html lang="en">',
    };
    const bad = {
      'metrics.k8s.io': JSON.stringify({ items: [named('pi-1')] }),
      'prometheus:9090': targets('down'),
      'dashboard:80': 'no such page',
    };

    const good = await verify(well, 401);
    const wrong = await verify(bad, 200);

    expect(good.filter(({ state }) => state !== 'ok').map(({ thing }) => thing)).toEqual([
      'pipeline',
    ]);
    const said = wrong.flatMap(({ thing, state, found, advice }) =>
      state === 'ok' ? [] : [[`${thing}: ${found}`, advice].filter(Boolean).join('; ')],
    );
    expect(said).toEqual([
      'metrics: no metrics from pi-2',
      'prometheus: node pi-2: connection refused',
      expect.stringMatching(
        /^grafana: .* accepts the user admin with the password admin; delete Grafana's pod$/,
      ),
      'dashboard: the dashboard does not return an HTML page',
      expect.stringContaining('pipeline: run run-2 failed'),
    ]);
  });

  it('is taken off, and volumes stay until they are to go', async () => {
    const kept = await down(false);
    const names = kept.map(({ kind, metadata }) => `${kind} ${metadata.name}`);
    expect(names).toContain('PersistentVolumeClaim registry');
    expect(names).toContain('PersistentVolumeClaim results');
    expect(names).toContain('Namespace testbed');
    expect(names).not.toContain('Namespace testbed-demo');
    expect(names.filter((name) => /^(Deployment|Secret|Service) /.test(name))).toEqual([
      'Deployment nfs-provisioner',
    ]);

    expect(await down(true)).toEqual([]);

    const all = 'all,secrets,configmaps,pvc,pv,storageclasses,namespaces,apiservices,clusterroles';
    expect(await kubectl('get', all, '-A', '-l', label, '-o', 'name')).toBe('');
  });
});

function cluster() {
  return { name: 'pis', kubectl: kubectlAt(plane?.kubeconfig ?? '', path ?? '') };
}

function kubectl(...args: string[]): Promise<string> {
  return cluster().kubectl(args);
}

function up(given: { nfs?: typeof nfs; folder?: string; jenkins?: boolean } = {}) {
  const times = { withinMs, pollMs: 500 };
  const options = { folder, jenkins: false, ...times, signal, report() {}, ...given };
  return testbedUp(cluster(), options);
}

function down(volumes: boolean) {
  const options = { volumes, withinMs, pollMs: 500, signal, report() {} };
  return testbedDown(cluster(), options);
}

/** Pods serve nothing here, so paths of Services have these answers. */
function answering(answers: Readonly<Record<string, string>>) {
  const real = cluster();
  return {
    name: real.name,
    async kubectl(...[args, options]: Parameters<typeof real.kubectl>) {
      const [, raw, url = ''] = args;
      const found = Object.entries(answers).find(([part]) => raw === '--raw' && url.includes(part));
      return found ? found[1] : await real.kubectl(args, options);
    },
  };
}

const view = ['config', 'view', '--raw', '-o'];

function apiUrl(): Promise<string> {
  return kubectl(...view, 'jsonpath={.clusters[0].cluster.server}');
}

/** What a pod finds of its account: `token` and `ca.crt`. */
async function accountFolder(namespace: string, account: string): Promise<string> {
  const own = await tempDir();
  const part = (name: string) => kubectl(...view, `jsonpath={.clusters[0].cluster.${name}}`);
  const authority = await part('certificate-authority-data');
  const file = await part('certificate-authority');
  await writeFile(
    join(own, 'ca.crt'),
    authority === '' ? await readFile(file) : Buffer.from(authority, 'base64'),
  );
  await writeFile(join(own, 'token'), await kubectl('create', 'token', '-n', namespace, account));
  return own;
}

async function jobsLike(prefix: string): Promise<string[]> {
  const names = await kubectl('get', 'jobs', '-n', 'testbed-build', '-o', 'name');
  return names
    .split('\n')
    .map((line) => line.replace('job.batch/', ''))
    .filter((name) => name.startsWith(`${prefix}-`));
}

/** The second step of the pipeline, as it runs in the cluster. */
async function deploy(platforms: readonly string[]) {
  const own = await tempDir();
  const file = (name: string) => join(own, name);
  const index = {
    manifests: platforms.map((platform) => {
      const [os, architecture, variant] = platform.split('/');
      return { platform: { os, architecture, ...(variant && { variant }) } };
    }),
  };
  const registry = createServer((_request, response) => response.end(JSON.stringify(index)));
  const port = await listen(registry);
  await writeFile(file('build.json'), JSON.stringify({ 'containerimage.digest': digest }));
  const account = await accountFolder('testbed-build', 'pipeline');
  const env = {
    ...process.env,
    API_URL: await apiUrl(),
    NODE_EXTRA_CA_CERTS: join(account, 'ca.crt'),
    TOKEN_FILE: join(account, 'token'),
    NAMESPACE: 'testbed-demo',
    MANIFEST: join(folder, 'demo/deployment.yaml'),
    REGISTRY_URL: `http://127.0.0.1:${port}/v2/demo`,
    PULL_FROM: '127.0.0.1:30022/demo',
    BUILD_FILE: file('build.json'),
    IMAGE_FILE: file('image'),
    PLATFORMS: 'linux/arm64,linux/arm/v7',
    DEPLOY_SECONDS: '3600',
  };
  const ended = await run(process.execPath, [join(folder, 'pipeline/deploy.ts')], { env }).then(
    ({ stdout, stderr }) => ({ stdout, stderr, code: 0 }),
    ({ stdout, stderr, code }: { stdout: string; stderr: string; code: number }) => ({
      stdout,
      stderr,
      code,
    }),
  );
  return { ...ended, image: await readFile(file('image'), 'utf8').catch(() => undefined) };
}

async function verify(answers: Readonly<Record<string, string>>, ofGrafana: number) {
  const seen: string[] = [];
  const server = createServer(({ headers }, response) => {
    seen.push(Buffer.from(headers.authorization?.slice(6) ?? '', 'base64').toString());
    response.writeHead(ofGrafana).end();
  });
  const port = await listen(server);
  const checks = await verifyTestbed(answering(answers), {
    fetch: (_input, init) => fetch(`http://127.0.0.1:${port}/api/org`, init),
    signal,
  });
  expect(seen).toEqual(['admin:admin']);
  return checks;
}

function named(name: string) {
  return { metadata: { name } };
}

function targets(health: string): string {
  const target = (instance: string, state: string) => {
    const lastError = state === 'down' ? 'connection refused' : '';
    return { labels: { job: 'node', instance }, health: state, lastError };
  };
  return JSON.stringify({
    data: { activeTargets: [target('pi-1', 'up'), target('pi-2', health)] },
  });
}

/** As the provisioner would: a volume for each claim. */
async function makeVolumes(): Promise<void> {
  const volumes = [
    ['testbed', 'registry'],
    ['testbed', 'jenkins'],
    ['testbed-build', 'results'],
  ].map(([namespace, name]) => ({
    apiVersion: 'v1',
    kind: 'PersistentVolume',
    metadata: { name: `${name}-volume` },
    spec: {
      storageClassName: 'testbed-nfs',
      capacity: { storage: '4Gi' },
      accessModes: ['ReadWriteOnce'],
      persistentVolumeReclaimPolicy: 'Retain',
      claimRef: { namespace, name },
      nfs,
    },
  }));
  const input = JSON.stringify({ apiVersion: 'v1', kind: 'List', items: volumes });
  await cluster().kubectl(['create', '-f', '-'], { input });
}

/** Containers of a fake node run for ever, so the pod of a run ends by hand. */
async function endPod(run: string, exitCode: number): Promise<void> {
  const selector = `batch.kubernetes.io/job-name=${run}`;
  const find = () => kubectl('get', 'pods', '-n', 'testbed-build', '-l', selector, '-o', 'name');
  await expect.poll(find, { interval: 200 }).toMatch(/^pod\//);
  const pod = (await find()).trim();
  const phase = (text: string) => ['-o', `jsonpath={.status.${text}}`];
  await expect
    .poll(() => kubectl('get', pod, '-n', 'testbed-build', ...phase('phase')), { interval: 200 })
    .toBe('Running');
  const image = 'node';
  const terminated = { exitCode, reason: exitCode === 0 ? 'Completed' : 'Error' };
  const test = {
    name: 'test',
    image,
    imageID: '',
    ready: false,
    restartCount: 0,
    state: { terminated },
  };
  const status = { phase: exitCode === 0 ? 'Succeeded' : 'Failed', containerStatuses: [test] };
  const patch = ['--subresource=status', '--type=merge', '-p', JSON.stringify({ status })];
  await kubectl('patch', pod, '-n', 'testbed-build', ...patch);
}

async function versionsOfAll(): Promise<string> {
  const kinds = 'deployments,daemonsets,services,configmaps,secrets,cronjobs,pvc,networkpolicies';
  const columns =
    'custom-columns=:kind,:metadata.namespace,:metadata.name,:metadata.generation,:metadata.uid';
  return await kubectl('get', kinds, '-A', '-l', label, '--no-headers', '-o', columns);
}
