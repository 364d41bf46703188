/** Metrics used by the alert rules. A rule with a misspelt name never fires. */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'vitest';
import { root } from '../folder/folders.ts';
import { ask } from './run-demo.ts';

const rulesFolder = join(root, 'kube', 'base', 'prometheus', 'rules');

/** Exported only with `tls`, or by `skolo alerts watch`, neither of which runs in a demo: the source file that names them. */
const elsewhere: Record<string, string> = {
  skolo_alerts_location_healthy: 'packages/cli',
  skolo_alerts_location_last_heartbeat_timestamp_seconds: 'packages/cli',
  skolo_alerts_watch_blind: 'packages/cli',
  skolo_alerts_watch_not_told: 'packages/cli',
  skolo_tls_certificate_expiry_timestamp_seconds: 'packages/common',
};

/** Of agents, which run on machines: test/e2e compares them with a real export. */
const ofAgents = 'swarming.yaml';

/** Names outside comments. */
async function metricsAskedFor(): Promise<string[]> {
  const files = (await readdir(rulesFolder)).filter(
    (name) => /^[a-z]+\.yaml$/.test(name) && name !== ofAgents,
  );
  const texts = await Promise.all(files.map((file) => readFile(join(rulesFolder, file), 'utf8')));
  const names = texts.flatMap((text) => text.replace(/#.*$/gm, '').match(/\bskolo_\w+/g) ?? []);
  return [...new Set(names)].toSorted();
}

async function sourceOf(folder: string): Promise<string> {
  const source = join(root, folder, 'src');
  const files = (await readdir(source, { recursive: true })).filter((name) =>
    /(?<!\.test)\.ts$/.test(name),
  );
  const texts = await Promise.all(files.map((name) => readFile(join(source, name), 'utf8')));
  return texts.join('\n');
}

/** A demo with this output exports everything that the rules use. */
export async function expectMetricsOfRules(output: string): Promise<void> {
  const urls = output.match(/http:\S+\/metrics$/gm) ?? [];
  const texts = await Promise.all(urls.map((url) => ask(url)));
  const exported = new Set(
    texts.flatMap((text) => [...text.matchAll(/^# TYPE (\S+)/gm)].map(([, name]) => name)),
  );
  const asked = await metricsAskedFor();
  const missing = asked.filter((name) => !exported.has(name));
  expect(missing).toEqual(Object.keys(elsewhere).toSorted());
  for (const [name, folder] of Object.entries(elsewhere)) {
    expect(await sourceOf(folder), name).toMatch(new RegExp(`\\b${name}\\b`));
  }
  for (const prefix of ['metadata', 'power', 'backup', 'alerts']) {
    expect(asked.some((name) => name.startsWith(`skolo_${prefix}_`))).toBe(true);
  }
}
