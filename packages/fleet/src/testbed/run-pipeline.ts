/** Runs the pipeline once, and monitors it until it ends. */
import { errorText, pause } from '@skolo/base';
import { FleetError } from '../errors.ts';
import { judgePod, Pod } from '../push/gate.ts';
import type { KubeObject } from '../push/objects.ts';
import { getObjects, type Rack } from '../push/rack.ts';
import { isRejected } from '../way/kubectl.ts';
import { createOnce, type UpOptions } from './up.ts';
import { endOfJob, nodeUrl, servicePath } from './verify.ts';

interface PipelineRun {
  /** The analysis as Markdown; undefined: it cannot be read. */
  report?: string;
  /** URL of its page and plots. */
  url: string;
}

interface RunOptions extends Pick<UpOptions, 'withinMs' | 'pollMs' | 'signal' | 'report'> {
  /** Name of its Job, and of its report's directory. */
  name: string;
}

const namespace = 'testbed-build';

/** @throws FleetError It cannot start, or a step failed; the message contains the end of its log. @throws The signal's reason. */
export async function runPipeline(cluster: Rack, options: RunOptions): Promise<PipelineRun> {
  const { name } = options;
  await start(cluster, options);
  const failure = await untilEnded(cluster, options);
  const text = await readReport(cluster, options);
  const url = `${await nodeUrl(cluster, namespace, 'results')}/${name}/`;
  if (failure === undefined) return { url, ...(text && { report: text }) };
  const where = text === undefined ? '' : `; the report is at ${url}`;
  throw new FleetError(`run ${name}: ${failure}${where}`);
}

/** Undefined if it does not exist or cannot be read. */
async function readReport(
  cluster: Rack,
  { name, signal, report }: RunOptions,
): Promise<string | undefined> {
  const page = servicePath(namespace, 'results:80', `${name}/report.md`);
  try {
    return await cluster.kubectl(['get', '--raw', page], { deadlineMs: 30_000 });
  } catch (error) {
    signal.throwIfAborted();
    report(`no report: ${errorText(error)}`);
    return undefined;
  }
}

async function start({ kubectl }: Rack, { name }: RunOptions): Promise<void> {
  try {
    const args = ['create', 'job', name, '-n', namespace, '--from=cronjob/pipeline'];
    await createOnce(() => kubectl(args));
  } catch (error) {
    if (!isRejected(error, 'NotFound')) throw error;
    const message = 'the pipeline is not installed in the cluster; run skolo pi testbed up';
    throw new FleetError(message, { cause: error });
  }
}

/**
 * Reports each step.
 *
 * @returns why the run failed
 * @throws FleetError It has not finished in time.
 */
async function untilEnded(
  cluster: Rack,
  { name, withinMs, pollMs, signal, report }: RunOptions,
): Promise<string | undefined> {
  const began = performance.now();
  const said = new Set<string>();
  const say = (text: string) => {
    if (!said.has(text)) report(text);
    said.add(text);
  };
  const query = ['jobs,pods', '-n', namespace, '-l', 'app.kubernetes.io/name=pipeline'];
  for (;;) {
    const objects = await getObjects(cluster, query);
    const pod = objects.find(
      ({ kind, metadata }) =>
        kind === 'Pod' && metadata.labels?.['batch.kubernetes.io/job-name'] === name,
    );
    const steps = pod ? stepsOf(pod) : [];
    for (const { step, state } of steps) if (state !== 'waiting') say(`${step}: ${state}`);
    const job = objects.find(({ kind, metadata }) => kind === 'Job' && metadata.name === name);
    const end = job && endOfJob(job);
    if (end?.isDone) return undefined;
    const failed = steps.find(({ state }) => state.startsWith('failed'));
    if (failed && pod) return await whyFailed(cluster, pod, failed, signal);
    if (end) return end.message;
    const verdict = pod && judgePod(pod);
    if (verdict?.state === 'failed') return verdict.cause;
    if (verdict?.state === 'waiting' && steps.every(({ state }) => state === 'waiting')) {
      say(verdict.cause);
    }
    if (performance.now() - began > withinMs) {
      const seconds = Math.round(withinMs / 1000);
      throw new FleetError(
        `run ${name} has not finished after ${seconds} s; to see why, run kubectl describe pods -n ${namespace}`,
      );
    }
    await pause(pollMs, signal);
  }
}

interface Step {
  step: string;
  /** `waiting`, `running`, `done`, or `failed (exit 1)`. */
  state: string;
}

function stepsOf(pod: KubeObject): Step[] {
  const { initContainerStatuses, containerStatuses } = Pod.parse(pod).status;
  return [...initContainerStatuses, ...containerStatuses].map(({ name, state }) => {
    const { running, terminated } = state;
    if (terminated) {
      const { exitCode } = terminated;
      return { step: name, state: exitCode === 0 ? 'done' : `failed (exit ${exitCode})` };
    }
    return { step: name, state: running ? 'running' : 'waiting' };
  });
}

const lastLines = 5;

async function whyFailed(
  { kubectl }: Rack,
  { metadata }: KubeObject,
  { step, state }: Step,
  signal: AbortSignal,
): Promise<string> {
  const args = ['logs', '-n', namespace, metadata.name, '-c', step, `--tail=${lastLines}`];
  const log = await kubectl(args).catch((error: unknown) => {
    signal.throwIfAborted();
    return `no log: ${errorText(error)}`;
  });
  return `step ${step} ${state}: ${log.trim()}; run kubectl ${args.slice(0, -1).join(' ')} to see the whole log`;
}
