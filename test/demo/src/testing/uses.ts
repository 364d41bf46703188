/** What `skolo check jumphost` tries on a rack, with the demo's services: in place of pods, a program knows their addresses. */
import { spawn } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { tempDir } from '@skolo/base/testing';
import type { Rack } from '@skolo/rack';
import { jumphostServices, namespaceOf, serviceMetricsUrl } from '@skolo/rack/light';
import { openHost } from '@skolo/setup/engine';
import { usesStep } from '@skolo/setup/jumphost';

const { signal } = new AbortController();

/** What does not work, a text for each. @param missing services without a pod */
export async function tryUses(rack: Rack, missing: readonly string[] = []): Promise<string[]> {
  const cleanUps: (() => Promise<void>)[] = [];
  const folder = await tempDir((each) => cleanUps.push(each));
  const services = jumphostServices.map((name) => {
    const { hostname, port } = new URL(serviceMetricsUrl(rack, name));
    return { name, hostname, namespace: namespaceOf(name), metricsPort: Number(port) };
  });
  for (const { name, hostname } of services) {
    const pod = { metadata: { name }, status: { podIP: hostname, phase: 'Running' } };
    const items = missing.includes(name) ? [] : [pod];
    await writeFile(join(folder, name), JSON.stringify({ items }));
  }
  const program = `#!/bin/sh
for each in "$@"; do case $each in *name=*) exec cat '${folder}/'"\${each#*name=}" ;; esac; done
exit 1
`;
  await writeFile(join(folder, 'k3s'), program, { mode: 0o755 });
  const env = { PATH: `${folder}:${process.env.PATH}` };
  const start = async (command: string) => spawn('sh', ['-c', command], { env });
  try {
    const host = await openHost({ name: rack.jumphost.name, start, signal });
    const { differs } = await usesStep({ rack, services }).check(host);
    // One switch hangs soon after the start, and tests do not reach Google.
    return differs.filter((text) => !/switch-3: |^https:.*\.googleapis\.com /.test(text));
  } finally {
    for (const each of cleanUps) await each();
  }
}
