/** Overlays as `kubectl apply -k` sees them. */
import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { peer } from '@skolo/simulators';
import { parse, stringify } from 'yaml';
import { z } from 'zod';
import { type Manifest, readManifests } from './manifest.ts';

export const kubeFolder = fileURLToPath(new URL('../../../kube', import.meta.url));

const Kustomization = z.looseObject({
  resources: z.array(z.string()).default([]),
  components: z.array(z.string()).default([]),
});

/** What a rack with a component has to set itself. */
const settings = new Map([
  [
    'remote-write',
    `apiVersion: v1
kind: ConfigMap
metadata: { name: remote-write, annotations: { config.kubernetes.io/local-config: "true" } }
data: { url: "https://prometheus.example.com/api/v1/write" }
`,
  ],
]);

/** The racks that have an overlay. */
export function rackNames(): string[] {
  return foldersWithKustomization(join(kubeFolder, 'racks'));
}

/** The components that a rack may have, nested ones included: `apps-by-name/grafana`. */
export function componentNames(): string[] {
  const folder = join(kubeFolder, 'components');
  return foldersWithKustomization(folder).flatMap((name) => [
    name,
    ...foldersWithKustomization(join(folder, name))
      .filter((nested) => kindOf(join(folder, name, nested)) === 'Component')
      .map((nested) => `${name}/${nested}`),
  ]);
}

/** What `kubectl kustomize` makes of a folder. */
export function build(kubectl: string, folder: string): Manifest[] {
  const text = execFileSync(kubectl, ['kustomize', folder], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
    maxBuffer: 64 * 1024 * 1024,
  });
  return readManifests(text);
}

/** A copy of kube/ in which a rack has exactly these components, and what is derived from its rack.yaml. */
export function copyWithComponents(rack: string, components: readonly string[]): string {
  const copy = mkdtempSync(join(tmpdir(), 'skolo-kube-'));
  cpSync(kubeFolder, copy, { recursive: true });
  const folder = join(copy, 'racks', rack);
  const file = join(folder, 'kustomization.yaml');
  const kustomization = Kustomization.parse(parse(readFileSync(file, 'utf8')));
  kustomization.components = [
    ...components.map((name) => `../../components/${name}`),
    ...kustomization.components.filter((name) => name === 'derived'),
  ];
  for (const name of components) {
    const text = settings.get(name);
    if (text === undefined) continue;
    writeFileSync(join(folder, `${name}.yaml`), text);
    kustomization.resources.push(`${name}.yaml`);
  }
  writeFileSync(file, stringify(kustomization));
  return copy;
}

/** The components of a rack's own kustomization.yaml, without what is derived. */
export function componentsOf(rack: string): string[] {
  const text = readFileSync(join(kubeFolder, 'racks', rack, 'kustomization.yaml'), 'utf8');
  return Kustomization.parse(parse(text))
    .components.filter((name) => name !== 'derived')
    .map((name) => name.replace(/^\.\.\/\.\.\/components\//, ''));
}

export function foldersWithKustomization(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => name)
    .filter((name) => existsSync(join(folder, name, 'kustomization.yaml')))
    .sort();
}

function kindOf(folder: string): unknown {
  const text = readFileSync(join(folder, 'kustomization.yaml'), 'utf8');
  return z.looseObject({ kind: z.string() }).parse(parse(text)).kind;
}

/** Where it is, if it is 1.27 or newer: that brought kustomize 5. */
export function usableKubectl(): string | undefined {
  const path = peer('kubectl');
  if (!path) return undefined;
  const version = execFileSync(path, ['version', '--client'], { encoding: 'utf8' });
  const [, major, minor] = /Client Version: v(\d+)\.(\d+)/.exec(version) ?? [];
  return Number(major) > 1 || Number(minor) >= 27 ? path : undefined;
}

export const noKubectl: string | undefined =
  usableKubectl() === undefined ? 'kubectl 1.27 or newer is not installed' : undefined;
