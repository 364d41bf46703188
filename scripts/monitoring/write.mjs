/**
 * Writes what a Prometheus and Grafana of your own need to watch services that run without skolo's Kubernetes, from kube/base:
 *
 *     node scripts/monitoring/write.mjs DIRECTORY ADDRESS SERVICE…
 *
 * The directory then contains prometheus.yml with a job for each service at this address, the alert rules of these services, and the
 * dashboard, for any Prometheus data source. Existing files of these names are replaced.
 */
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse, stringify } from 'yaml';
import { root } from '../node.mjs';

const kube = join(root, 'kube');
/** The alert rules of each service, which require no other metrics. */
const rulesOf = new Map([
  ['power-cycle-daemon', 'power.yaml'],
  ['router-backup', 'backup.yaml'],
  ['metadata-server', 'metadata.yaml'],
  ['alert-to-pubsub', 'alerts.yaml'],
  ['machine-state', 'machine-state.yaml'],
]);

const [directory, address, ...services] = process.argv.slice(2);
const unknown = services.filter((name) => !rulesOf.has(name));
if (!directory || !address || services.length === 0 || unknown.length > 0) {
  const why = unknown.length > 0 ? `unknown services: ${unknown.join(', ')}; ` : '';
  console.error(
    `${why}usage: node scripts/monitoring/write.mjs DIRECTORY ADDRESS SERVICE…, where SERVICE is one of ${[...rulesOf.keys()].join(', ')}`,
  );
  process.exit(2);
}

/** @param {string} path */
const read = (path) => readFileSync(join(kube, path), 'utf8');
/** @typedef {{ job_name: string, static_configs: [{ targets: [string] }] }} Job */
/** @type {{ scrape_configs: Job[] }} */
const { scrape_configs: jobs } = parse(read('base/prometheus/prometheus.yml'), { merge: true });
const own = jobs
  .filter(({ job_name }) => services.includes(job_name))
  .map((job) => {
    const [{ targets }] = job.static_configs;
    const [, port] = targets[0].split(':');
    return { ...job, static_configs: [{ targets: [`${address}:${port}`] }] };
  });
mkdirSync(join(directory, 'rules'), { recursive: true });
for (const name of services) {
  const file = rulesOf.get(name) ?? '';
  copyFileSync(join(kube, 'base/prometheus/rules', file), join(directory, 'rules', file));
}
const config = {
  // Texts of alerts name it.
  global: { external_labels: { rack: 'lab' } },
  rule_files: ['rules/*.yaml'],
  scrape_configs: own,
};
writeFileSync(
  join(directory, 'prometheus.yml'),
  stringify(config, { aliasDuplicateObjects: false }),
);
const dashboard = JSON.parse(
  read('components/grafana/rack.json').replaceAll('"uid": "prometheus"', '"uid": "$datasource"'),
);
const source = { name: 'datasource', type: 'datasource', query: 'prometheus' };
dashboard.templating = { list: [source, ...(dashboard.templating?.list ?? [])] };
writeFileSync(join(directory, 'dashboard.json'), `${JSON.stringify(dashboard, undefined, 2)}\n`);
