import { describe, expect, it } from 'vitest';
import { readManifests } from './manifest.ts';
import { schemaProblems } from './schema.ts';

function problemsOf(text: string): string[] {
  return readManifests(text).flatMap(schemaProblems);
}

const deployment = `
apiVersion: apps/v1
kind: Deployment
metadata: { name: web, namespace: skolo, labels: { any: thing } }
spec:
  selector: { matchLabels: { app: web } }
  template:
    metadata: { labels: { app: web } }
    spec:
      terminationGracePeriodSeconds: 30
      containers:
        - name: web
          image: web:1
          ports: [{ name: http, containerPort: 80 }]
          resources: { limits: { memory: 64Mi } }
          livenessProbe: { httpGet: { path: /, port: http } }
      volumes:
        - name: etc
          projected:
            sources: [{ configMap: { name: rack, items: [{ key: rack.yaml, path: rack.yaml }] } }]
`;

describe('schemaProblems', () => {
  it('finds no problem in objects that the API accepts', () => {
    expect(problemsOf(deployment)).toEqual([]);
  });

  it.each([
    ['name: web, namespace', 'nmae: x, name: web, namespace', '/metadata/nmae'],
    ['selector:', 'replicaas: 2\n  selector:', '/spec/replicaas'],
    ['livenessProbe', 'livenesProbe', '/spec/template/spec/containers/0/livenesProbe'],
    ['port: http', 'port: http, pth: /', '/containers/0/livenessProbe/httpGet/pth'],
    ['containerPort: 80', 'containerPort: 80, prot: TCP', '/containers/0/ports/0/prot'],
    ['path: rack.yaml', 'path: rack.yaml, mod: 0400', '/configMap/items/0/mod'],
    ['kind: Deployment', 'kind: Deployment\nspecs: {}', '/specs'],
  ])('finds a field that does not exist: %s -> %s', (good, bad, path) => {
    const problems = problemsOf(deployment.replace(good, bad));

    expect(problems).toEqual([
      expect.stringContaining(`${path} is no field of apps/v1 Deployment`),
    ]);
  });

  it.each([
    ['terminationGracePeriodSeconds: 30', 'terminationGracePeriodSeconds: soon', /Seconds must be/],
    ['- name: web', '- nothing: web', /must have required property name/],
    ['selector: { matchLabels: { app: web } }', '', /must have required property selector/],
    ['memory: 64Mi', 'memory: [64]', /memory must be/],
  ])('finds a value that does not fit: %s -> %s', (good, bad, problem) => {
    expect(problemsOf(deployment.replace(good, bad)).join('\n')).toMatch(problem);
  });

  it('rejects a kind whose schema it does not have', () => {
    expect(
      problemsOf('{ apiVersion: example.com/v1, kind: Thing, metadata: { name: a } }'),
    ).toEqual([expect.stringContaining('no schema for example.com/v1 Thing')]);
  });

  it('knows the kinds of k3s and Traefik, as strictly', () => {
    const config = `
apiVersion: helm.cattle.io/v1
kind: HelmChartConfig
metadata: { name: traefik, namespace: kube-system }
spec: { valueContent: "" }
`;

    expect(problemsOf(config)).toEqual([
      expect.stringContaining('/spec/valuesContent'),
      expect.stringContaining('Unrecognized key: "valueContent"'),
    ]);
  });
});
