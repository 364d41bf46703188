/** Prometheus and its companions, as run by kube/base, but on loopback and in test directories. */
import { type ChildProcess, execFile, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { copyFile, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { AtTheEnd } from '@skolo/base/testing';
import { freeTcpPort } from '@skolo/simulators/free-port';
import { parseAllDocuments, parseDocument } from 'yaml';
import { z } from 'zod';
import { ruleFiles, rulesFolder } from './rule-files.ts';

export const root = fileURLToPath(new URL('../../../', import.meta.url));
const run = promisify(execFile);

/** A file of kube. */
export function kubeFile(path: string): string {
  return readFileSync(join(root, 'kube', path), 'utf8');
}

const Workload = z.object({
  kind: z.enum(['Deployment', 'DaemonSet']),
  spec: z.object({
    template: z.object({
      spec: z.object({
        containers: z.array(
          z.object({
            name: z.string(),
            command: z.array(z.string()).default([]),
            args: z.array(z.string()).default([]),
          }),
        ),
      }),
    }),
  }),
});

/** The arguments of a container, from its manifest. */
export function argsOf(path: string, container: string): string[] {
  return containerOf(path, container).args;
}

/** A container, from its manifest. */
export function containerOf(path: string, container: string) {
  const workloads = parseAllDocuments(kubeFile(path)).flatMap((document) => {
    const { data } = Workload.safeParse(document.toJS());
    return data === undefined ? [] : [data];
  });
  const found = workloads
    .flatMap(({ spec }) => spec.template.spec.containers)
    .find(({ name }) => name === container);
  if (!found) throw new Error(`${path} has no container ${container}`);
  return found;
}

/** Replaces what a test cannot have. Every text must be found, or the test would use a different configuration. */
export function replaced(text: string, replacements: Record<string, string>): string {
  return Object.entries(replacements).reduce((before, [what, by]) => {
    if (!before.includes(what)) throw new Error(`there is no ${what} any more in:\n${before}`);
    return before.replaceAll(what, by);
  }, text);
}

/** Prometheus 2.51 introduced relabelling rules per Alertmanager. */
export function knowsAlertRelabelling(program: string): boolean {
  const text = execFileSync(program, ['--version'], { encoding: 'utf8', stdio: 'pipe' });
  const [, major, minor] = /version (\d+)\.(\d+)/.exec(text) ?? [];
  return Number(major) > 2 || Number(minor) >= 51;
}

/**
 * prometheus.yml as this version accepts it. If it does not support relabelling rules per Alertmanager, the second one, which would get
 * every alert, is left out.
 */
export function configFor(program: string, text: string): string {
  if (knowsAlertRelabelling(program)) return text;
  const document = parseDocument(text);
  if (!document.deleteIn(['alerting', 'alertmanagers', 1])) throw new Error('there is only one');
  return document.toString();
}

/** Rules as in the ConfigMap. */
export async function copyRules(to: string): Promise<void> {
  await mkdir(to, { recursive: true });
  await Promise.all(ruleFiles.map((file) => copyFile(join(rulesFolder, file), join(to, file))));
}

/** Files with their contents, in a new directory. */
export async function writeFiles(folder: string, files: Record<string, string>): Promise<void> {
  await mkdir(folder, { recursive: true });
  await Promise.all(
    Object.entries(files).map(([name, text]) => writeFile(join(folder, name), text)),
  );
}

export function start(
  program: string,
  args: readonly string[],
  atTheEnd: AtTheEnd,
  env: Record<string, string> = {},
): ChildProcess {
  const child = spawn(program, args, { stdio: 'ignore', env: { ...process.env, ...env } });
  const exited = once(child, 'exit');
  atTheEnd(async () => {
    child.kill('SIGKILL');
    await exited;
  });
  return child;
}

/** A program's output, whatever its exit code. */
export async function ask(program: string, ...args: string[]): Promise<string> {
  try {
    const { stdout, stderr } = await run(program, args);
    return stdout + stderr;
  } catch (error) {
    const { stdout, stderr } = z.object({ stdout: z.string(), stderr: z.string() }).parse(error);
    return `${stdout}${stderr}\n(it has failed)`;
  }
}

/** The text at a URL; empty while there is no answer. */
export async function textAt(url: string): Promise<string> {
  const answer = await fetch(url).catch(() => undefined);
  return (await answer?.text()) ?? '';
}

/** Starts Prometheus with the prometheus.yml of this directory. Returns its API's URL, and its process ID. */
export async function startPrometheus(program: string, dir: string, atTheEnd: AtTheEnd) {
  const address = `127.0.0.1:${await freeTcpPort()}`;
  const args = [
    `--config.file=${dir}/prometheus.yml`,
    `--storage.tsdb.path=${dir}/data`,
    `--web.listen-address=${address}`,
  ];
  // With the garbage collector settings of a deployment, not those of `npm test`.
  const { pid } = start(program, args, atTheEnd, { GOGC: '100' });
  return { url: `http://${address}/api/v1`, pid };
}

const Targets = z.object({
  data: z.object({
    activeTargets: z.array(
      z.object({ scrapeUrl: z.string(), health: z.string(), lastError: z.string() }),
    ),
  }),
});

/** The targets of a Prometheus, with their health; none while it starts. */
export async function targetsAt(url: string) {
  const text = await textAt(`${url}/targets?state=active`);
  return Targets.safeParse(JSON.parse(text || '{}')).data?.data.activeTargets ?? [];
}
