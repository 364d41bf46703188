/** A real control plane whose nodes pretend, with what a test of many racks does to a rack. */
import { execFileSync } from 'node:child_process';
import { startControlPlane } from '@skolo/simulators';
import { kubectlAt } from '../../testing/kubectl.ts';
import { type Kubectl, KubectlError } from '../../way/kubectl.ts';
import { type FakeRack, machines } from './fake-rack.ts';

interface Options {
  /** Programs of `peer('control-plane')` and `peer('kubectl')`. */
  controlPlane: string;
  kubectl: string;
  /** A manifest that is there before the first push. */
  namespace: string;
  /** A machine that does not respond. */
  dead?: string;
}

type RealRack = FakeRack & { close(): Promise<void> };

export async function startRealRack(options: Options): Promise<RealRack> {
  const { dead } = options;
  const jumphost = { name: 'jumphost', labels: { jumphost: 'true' } };
  const nodes = [jumphost, ...machines.map((name) => ({ name }))];
  const plane = await startControlPlane(options.controlPlane, options.kubectl, { nodes });
  const real = kubectlAt(plane.kubeconfig, options.kubectl);
  const env = { ...process.env, KUBECONFIG: plane.kubeconfig };
  const call = (...args: string[]) =>
    execFileSync(options.kubectl, args, { encoding: 'utf8', env });
  const kindOf = (name: string) => (name === 'agent' ? 'daemonset' : 'deployment');
  call('apply', '-f', options.namespace);
  if (dead !== undefined) {
    call('annotate', 'node', dead, 'test.skolo/node=dead');
    call('wait', '--for=condition=Ready=unknown', `node/${dead}`, '--timeout=900s');
  }

  const kubectl: Kubectl = async (args, given) => {
    const isOfPush = given?.input?.includes('"kind":"Secret"');
    const isChange = args[0] === 'apply' && !args.includes('--dry-run=server') && !isOfPush;
    if (rack.lost === 'at-next-change' && isChange) rack.lost = 'now';
    if (rack.lost === 'now') throw new KubectlError('connection refused', 'Unreachable');
    if (isChange) rack.changes.push(args.join(' '));
    return await real(args, given);
  };

  const rack: RealRack = {
    kubectl,
    changes: [],
    lost: undefined,
    image(name) {
      const path = 'jsonpath={.spec.template.spec.containers[0].image}';
      return call('get', kindOf(name), name, '-n', 'skolo', '-o', path);
    },
    setImage(name, image) {
      call('set', 'image', '-n', 'skolo', `${kindOf(name)}/${name}`, `${name}=${image}`);
    },
    close: () => plane.close(),
  };
  return rack;
}
