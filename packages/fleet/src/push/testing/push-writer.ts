/** Begins a push, or resumes it where it is on record, until it ends or is killed; tells how it ended. */
import { kill, pid } from 'node:process';
import { fileURLToPath } from 'node:url';
import { report } from '@skolo/durable/fault-injection';
import { kubectlAt } from '../../testing/kubectl.ts';
import { openRecords, openRepository, preparePush, type Request } from '../index.ts';

export interface Work {
  kubectl: string;
  kubeconfig: string;
  clusters: string;
  records: string;
  request: Request;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  await run(JSON.parse(process.argv[2] ?? ''));
}

async function run({ kubectl, kubeconfig, clusters, records: folder, request }: Work) {
  const { signal } = new AbortController();
  const records = openRecords(folder);
  const mayBeDirty = (await records.read(request.id)) !== undefined;
  const push = await preparePush(request, {
    repository: await openRepository(clusters, signal, { mayBeDirty }),
    records,
    open: async (name) => ({
      name,
      kubectl: kubectlAt(kubeconfig, kubectl),
      close: async () => {},
    }),
    stages: [request.racks],
    workstation: { name: 'ann@desk', pid, isAlive },
    times: {
      pollMs: 500,
      readyMs: 20_000,
      patienceMs: 10_000,
      lease: { durationMs: 6_000, renewMs: 300 },
    },
    signal,
    now: Date.now,
    report: () => undefined,
  });
  report('prepared');
  const problem = push.racks.find((rack) => rack.problem)?.problem;
  if (problem) report(`${problem.message}`);
  const ends = await push.run();
  await push.close();
  report(`${ends.map(({ state, why }) => `${state} ${why ?? ''}`.trim()).join(' ')}`);
}

function isAlive(other: number): boolean {
  try {
    return kill(other, 0);
  } catch {
    return false;
  }
}
