/**
 * What `skolo jumphost` requires on a workstation: a clone of a repository of racks; and, on a test jumphost, a program that answers for
 * pods.
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdir, mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { shellWord } from '@skolo/base';
import { jumphostServices, namespaceOf, servicePorts } from '@skolo/rack/light';
import type { BareJumphost } from '@skolo/setup/k3s/testing';
import type { Computer } from '@skolo/simulators';

export const repository = fileURLToPath(new URL('../../../', import.meta.url));
/** The command. */
export const skolo = join(repository, 'packages/cli/bin/skolo.js');

/** A program that answers for all pods, on every address; its API is that of an idle power-cycle daemon. */
export const podResponder = `
import { createServer } from 'node:http';
for (const port of ${JSON.stringify(jumphostServices.map((name) => servicePorts[name].metricsPort))}) {
  createServer((request, response) => {
    if (request.url === '/metrics') response.end('skolo_build_info{version="1.2.0"} 1\\n');
    else response.end('{"status":"ready"}');
  }).listen(port, '0.0.0.0');
}
createServer((request, response) => {
  response.writeHead(request.method === 'POST' ? 201 : 200, { 'content-type': 'application/json', 'x-request-id': '1' });
  response.end('{"holds":[],"cycles":[],"controllers":[]}');
}).listen(${servicePorts['power-cycle-daemon'].port}, '0.0.0.0');`;

function deployment(name: string, namespace: string): string {
  return `
apiVersion: apps/v1
kind: Deployment
metadata: { name: ${name}, namespace: ${namespace}, labels: { app.kubernetes.io/part-of: skolo } }
spec:
  strategy: { type: Recreate }
  selector: { matchLabels: { app.kubernetes.io/name: ${name} } }
  template:
    metadata: { labels: { app.kubernetes.io/name: ${name}, app.kubernetes.io/part-of: skolo } }
    spec:
      nodeSelector: { node-restriction.kubernetes.io/skolo-jumphost: "true" }
      securityContext: { runAsNonRoot: true, runAsUser: 10001, seccompProfile: { type: RuntimeDefault } }
      containers:
        - name: ${name}
          image: skolo/service
          securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: [ALL] } }
`;
}

/** A clone of a repository of racks: rack4, and unreachable others. */
export async function makeRacks(
  registry: string,
  rackYaml: string,
  unreachable: readonly string[] = [],
): Promise<string> {
  const root = await mkdtemp(join(tmpdir(), 'skolo-racks-'));
  const write = async (file: string, text: string) => {
    await mkdir(dirname(join(root, file)), { recursive: true });
    await writeFile(join(root, file), text);
  };
  for (const part of ['kube/base/namespaces', 'kube/base/access', 'deploy']) {
    await cp(join(repository, part), join(root, part), { recursive: true });
  }
  const rack4 = { type: 'k3s', context_name: 'rack4', jumphost: 'jumphost-rack4', port: 6442 };
  const list = {
    gitdir: '~/racks',
    repo: 'https://git.example.com/racks.git',
    clusters: {
      rack4,
      ...Object.fromEntries(
        unreachable.map((name) => [
          name,
          { ...rack4, context_name: name, jumphost: `${name}.invalid` },
        ]),
      ),
    },
  };
  await write('kube/clusters/config.json', JSON.stringify(list));
  await write('kube/racks/rack4/rack.yaml', rackYaml);
  for (const name of unreachable) {
    await write(`kube/racks/${name}/rack.yaml`, rackYaml.replaceAll('rack4', name));
  }
  const all = jumphostServices.map((name) => deployment(name, namespaceOf(name)));
  await write('kube/racks/rack4/services.yaml', all.join('---'));
  await write(
    'kube/racks/rack4/kustomization.yaml',
    `resources: [../../base/namespaces, ../../base/access, services.yaml]
images: [{ name: skolo/service, newName: ${registry}/skolo/service, newTag: 2026-11-20T22_40_05Z-ann-295cca0-clean }]
`,
  );
  await write('.gitignore', 'kube/racks/*/secrets/\n');
  const git = (...args: string[]) => execFileSync('git', args, { cwd: root, stdio: 'pipe' });
  git('init', '--quiet', '--initial-branch=main');
  git('config', 'user.name', 'Ann');
  git('config', 'user.email', 'ann@example.com');
  git('add', '.');
  git('commit', '--quiet', '--message', 'racks');
  return root;
}

/** As typed in the clone. */
export function startTyped(
  racks: string,
  { workstation }: Pick<BareJumphost, 'workstation'>,
  args: readonly string[],
): ChildProcess {
  return spawn(process.execPath, [skolo, ...args], { cwd: racks, env: workstation.env });
}

/** On a terminal, where it can ask. Its output goes through a pipe: line by line. */
export function startAtTerminal(
  racks: string,
  { workstation }: Pick<BareJumphost, 'workstation'>,
  args: readonly string[],
): ChildProcess {
  const line = [process.execPath, skolo, ...args].map(shellWord).join(' ');
  return spawn('script', ['-qec', `${line} | cat`, '/dev/null'], {
    cwd: racks,
    env: workstation.env,
  });
}

/** As typed in the clone, until it ends. */
export async function typed(...typing: Parameters<typeof startTyped>): Promise<Ended> {
  return await endOf(startTyped(...typing));
}

export interface Ended {
  code: number;
  /** Both of its outputs. */
  out: string;
}

export async function endOf(child: ChildProcess): Promise<Ended> {
  let out = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream?.on('data', (data: Buffer) => {
      out += data;
    });
  }
  const [code] = await once(child, 'close');
  return { code: code ?? 1, out };
}

/** Addresses that the test's nodes assign to pods belong to this computer. */
export async function routePods(computer: Computer): Promise<void> {
  for (const network of ['10.0.0.0/8', '198.18.0.0/15']) {
    await computer.run('ip', 'route', 'replace', 'local', network, 'dev', 'lo');
  }
}
