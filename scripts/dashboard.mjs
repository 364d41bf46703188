/**
 * The dashboard of a rack, for Grafana: what is in it is said here, and where things stand on the page is computed.
 *
 * `node scripts/dashboard.mjs` writes kube/components/grafana/rack.json; `--print` prints it. Every query is asked of a real
 * Prometheus by `npm test` (test/e2e/src/dashboard.test.ts).
 */
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/**
 * @typedef {object} Query
 * @property {string} expr
 * @property {string} [legend] of a line, or the heading of a column of a table
 *
 * @typedef {object} Panel
 * @property {string} title
 * @property {'stat' | 'lines' | 'table'} kind
 * @property {number} width of 24
 * @property {string} [about] what it means, and what to do
 * @property {string} [unit] of Grafana: s, bytes, celsius, percent, …
 * @property {[colour: string, from: number | null][]} [colours] from this value on; the first one is for all below
 * @property {Query[]} queries
 * @property {string[]} [columns] of a table with one query: labels, in this order
 *
 * @typedef {object} Row
 * @property {string} title
 * @property {number} height of its panels
 * @property {Panel[]} panels
 */

/** @type {[string, number | null][]} */
const bad = [
  ['green', null],
  ['red', 1],
];
/** @type {[string, number | null][]} */
const good = [
  ['red', null],
  ['green', 1],
];

/** @type {Row[]} */
const rows = [
  {
    title: 'The rack',
    height: 4,
    panels: [
      stat('Machines that live', 'count(machine:seen:max3m == 1) or vector(0)', {
        about: 'Their node-exporter answers, or they answer a ping.',
      }),
      stat('Missing', 'count(machine:seen:max3m == 0) or vector(0)', { colours: bad }),
      stat(
        'Quarantined',
        'count(max by (machine) (skolo_swarming_health{verdict="quarantined"}) == 1) or vector(0)',
        { colours: bad, about: '`skolo machine status` says why.' },
      ),
      stat('Tasks that run', 'sum(skolo_swarming_task_running) or vector(0)'),
      stat(
        'Critical alerts',
        'count(ALERTS{alertstate="firing", severity="critical"}) or vector(0)',
        { colours: bad },
      ),
      stat('Warnings', 'count(ALERTS{alertstate="firing", severity="warning"}) or vector(0)', {
        colours: [
          ['green', null],
          ['orange', 1],
        ],
      }),
    ],
  },
  {
    title: 'Alerts that fire, and why machines take no tasks',
    height: 8,
    panels: [
      table('Alerts', {
        queries: [{ expr: 'ALERTS{alertstate="firing", alertname!="Watchdog"}' }],
        columns: ['severity', 'alertname', 'machine', 'device', 'outlet', 'identity', 'job'],
      }),
      table('Reasons', {
        about: 'For how long. Of `recovering` and `maintenance` nobody is needed.',
        unit: 's',
        queries: [
          {
            expr: 'max by (machine, device, code, verdict) (skolo_swarming_health_reason_seconds)',
          },
        ],
        columns: ['machine', 'device', 'verdict', 'code', 'Value'],
      }),
    ],
  },
  {
    title: 'Metadata: tokens',
    height: 7,
    panels: [
      lines('Life that is left', 8, {
        about: 'At 0 the bots of an identity get no token. Renewal begins long before.',
        unit: 's',
        queries: [
          {
            expr: 'min by (identity) (skolo_metadata_token_remaining_seconds)',
            legend: '{{identity}}',
          },
        ],
      }),
      lines('Requests', 8, {
        unit: 'reqps',
        queries: [
          {
            expr: 'sum by (class, code) (rate(skolo_metadata_requests_total[5m]))',
            legend: '{{class}} {{code}}',
          },
        ],
      }),
      lines('Upstream fails, callers without an identity', 8, {
        queries: [
          {
            expr: 'sum by (identity) (increase(skolo_metadata_upstream_calls_total{outcome="failure"}[1h]))',
            legend: 'upstream: {{identity}}',
          },
          {
            expr: 'increase(skolo_metadata_unknown_caller_requests_total[1h])',
            legend: 'unknown callers',
          },
        ],
      }),
    ],
  },
  {
    title: 'Power',
    height: 7,
    panels: [
      lines('Cycles in a day', 8, {
        queries: [
          {
            expr: 'sum by (outcome) (increase(skolo_power_cycles_total{action="cycle"}[1d])) > 0',
            legend: '{{outcome}}',
          },
        ],
      }),
      table('Switches and PDUs', {
        width: 6,
        about: '0: nothing can be switched there; `skolo power controllers` says why.',
        queries: [{ expr: 'skolo_power_controller_up' }],
        columns: ['controller', 'model', 'Value'],
      }),
      stat('Owed', 'skolo_power_outlets_owed', {
        width: 3,
        about: 'Outlets that are off because of a cycle.',
      }),
      stat('Stuck off', 'count(skolo_power_outlets_stuck_off) or vector(0)', {
        width: 3,
        colours: bad,
        about: '`skolo power status`',
      }),
      table('Needs hands', {
        width: 4,
        about: 'Repair by itself has given up: go there.',
        queries: [{ expr: 'skolo_power_machines_need_hands == 1' }],
        columns: ['machine'],
      }),
    ],
  },
  {
    title: 'Backups',
    height: 7,
    panels: [
      lines('Age', 12, {
        unit: 's',
        queries: [
          {
            expr: 'time() - (skolo_backup_last_success_timestamp_seconds > 0)',
            legend: '{{device}}',
          },
          { expr: 'skolo_backup_overdue_seconds', legend: 'overdue from here on' },
        ],
      }),
      table('Attempts that failed in a row', {
        width: 8,
        queries: [{ expr: 'skolo_backup_failures_in_a_row > 0' }],
        columns: ['device', 'class', 'Value'],
      }),
      stat('Not off site yet', 'sum(skolo_backup_offsite_queue) or vector(0)', {
        about: 'Versions. The uplink, or the place: `skolo backup status`.',
      }),
    ],
  },
  {
    title: 'Alert delivery',
    height: 7,
    panels: [
      stat('Heartbeat', 'min(skolo_alerts_heartbeat_healthy)', {
        colours: good,
        about: '1: the watchdog was heard of, and all is well.',
      }),
      stat('Last heard', 'time() - (skolo_alerts_last_heard_timestamp_seconds > 0)', {
        unit: 's',
        colours: [
          ['green', null],
          ['red', 300],
        ],
      }),
      lines('Waiting for a sink', 8, {
        queries: [{ expr: 'sum by (sink) (skolo_alerts_spool_depth)', legend: '{{sink}}' }],
      }),
      lines('Messages', 8, {
        unit: 'cps',
        queries: [
          {
            expr: 'sum by (sink) (rate(skolo_alerts_published_total[5m]))',
            legend: 'to {{sink}}',
          },
          {
            expr: 'sum by (sink, reason) (rate(skolo_alerts_publish_failures_total[5m]))',
            legend: '{{sink}} fails: {{reason}}',
          },
        ],
      }),
    ],
  },
  {
    title: 'Machines',
    height: 14,
    panels: [
      table('Machines', {
        width: 16,
        queries: [
          { expr: 'machine:seen:max3m', legend: 'lives' },
          { expr: 'max by (machine) (skolo_swarming_bot_healthy)', legend: 'bot' },
          {
            expr: 'max by (machine) (skolo_swarming_health{verdict="quarantined"})',
            legend: 'quarantined',
          },
          { expr: 'max by (machine) (skolo_swarming_task_running_seconds)', legend: 'task (s)' },
          {
            expr: 'min by (machine) (100 * node_filesystem_avail_bytes{mountpoint="/"} / node_filesystem_size_bytes{mountpoint="/"})',
            legend: 'disk free (%)',
          },
          { expr: 'max by (machine) (node_thermal_zone_temp)', legend: 'temperature (°C)' },
          {
            expr: 'max by (machine) (node_time_seconds - node_boot_time_seconds) / 86400',
            legend: 'up (days)',
          },
        ],
      }),
      table('Phones: battery', {
        width: 8,
        unit: 'percent',
        queries: [{ expr: 'skolo_swarming_device_battery_percent' }],
        columns: ['machine', 'device', 'Value'],
      }),
    ],
  },
  {
    title: 'Computers',
    height: 8,
    panels: [
      lines('Fullest disks', 6, {
        unit: 'percent',
        queries: [
          {
            expr: 'topk(8, 100 - 100 * node_filesystem_avail_bytes{fstype=~"ext[234]|xfs|btrfs|f2fs"} / node_filesystem_size_bytes)',
            legend: '{{machine}} {{mountpoint}}',
          },
        ],
      }),
      lines('Hottest', 6, {
        unit: 'celsius',
        queries: [
          {
            expr: 'topk(8, max by (machine) (node_thermal_zone_temp))',
            legend: '{{machine}}',
          },
        ],
      }),
      lines('Clocks, against the jumphost', 6, {
        about: 'A slow scrape makes a second or two of difference.',
        unit: 's',
        queries: [
          {
            expr: 'topk(8, abs(node_time_seconds - timestamp(node_time_seconds)))',
            legend: '{{machine}}',
          },
        ],
      }),
      lines('Load, for each processor', 6, {
        queries: [
          {
            expr: 'topk(8, node_load1 / on (instance) group_left () count by (instance) (node_cpu_seconds_total{mode="idle"}))',
            legend: '{{machine}}',
          },
        ],
      }),
    ],
  },
  {
    title: 'Services and monitoring',
    height: 7,
    panels: [
      table('Degraded', {
        width: 6,
        about: '`/readyz` on the metrics port says why, and what to do.',
        queries: [{ expr: 'skolo_degraded == 1' }],
        columns: ['job', 'machine', 'what'],
      }),
      lines('Targets that are down', 6, {
        queries: [{ expr: 'count by (job) (up == 0)', legend: '{{job}}' }],
      }),
      lines('Memory', 6, {
        unit: 'bytes',
        queries: [
          {
            expr: 'process_resident_memory_bytes{job!~"node|swarming-client"}',
            legend: '{{job}}',
          },
        ],
      }),
      lines('Prometheus on its disk', 6, {
        about: 'What is older than two hours; at most what `retention.size` says.',
        unit: 'bytes',
        queries: [{ expr: 'prometheus_tsdb_storage_blocks_bytes', legend: 'blocks' }],
      }),
    ],
  },
];

/**
 * @param {string} title
 * @param {string} expr
 * @param {Partial<Panel>} [more]
 * @returns {Panel}
 */
function stat(title, expr, more) {
  return { title, kind: 'stat', width: 4, queries: [{ expr }], ...more };
}

/**
 * @param {string} title
 * @param {number} width
 * @param {Pick<Panel, 'queries'> & Partial<Panel>} more
 * @returns {Panel}
 */
function lines(title, width, more) {
  return { title, kind: 'lines', width, ...more };
}

/**
 * @param {string} title
 * @param {Pick<Panel, 'queries'> & Partial<Panel>} more
 * @returns {Panel}
 */
function table(title, more) {
  return { title, kind: 'table', width: 12, ...more };
}

const datasource = { type: 'prometheus', uid: 'prometheus' };
/** What Prometheus adds to a sample, and a reader of a table does not need. */
const noise = ['Time', '__name__'];

/** The dashboard as Grafana reads it. */
function dashboard() {
  const panels = [];
  let y = 0;
  for (const { title, height, panels: ofRow } of rows) {
    panels.push({ type: 'row', title, collapsed: false, gridPos: { x: 0, y, w: 24, h: 1 } });
    let x = 0;
    for (const panel of ofRow) {
      panels.push({ ...shown(panel), gridPos: { x, y: y + 1, w: panel.width, h: height } });
      x += panel.width;
    }
    if (x > 24) throw new Error(`${title} is ${x} wide, and a row has 24`);
    y += 1 + height;
  }
  return {
    uid: 'skolo-rack',
    title: 'Rack',
    tags: ['skolo'],
    timezone: 'browser',
    editable: false,
    graphTooltip: 1,
    refresh: '1m',
    schemaVersion: 39,
    time: { from: 'now-6h', to: 'now' },
    templating: { list: [] },
    annotations: { list: [] },
    panels: panels.map((panel, index) => ({ id: index + 1, ...panel })),
  };
}

/** @param {Panel} panel */
function shown({ title, kind, about, unit, colours, queries, columns }) {
  const steps = colours?.map(([color, value]) => ({ color, value }));
  return {
    type: { stat: 'stat', lines: 'timeseries', table: 'table' }[kind],
    title,
    ...(about !== undefined && { description: about }),
    datasource,
    fieldConfig: {
      defaults: {
        ...(unit !== undefined && { unit }),
        ...(steps !== undefined && {
          color: { mode: 'thresholds' },
          thresholds: { mode: 'absolute', steps },
        }),
        ...(kind === 'lines' && { min: 0, custom: { fillOpacity: 10 } }),
      },
      overrides: [],
    },
    ...(kind === 'stat' && {
      options: {
        reduceOptions: { calcs: ['lastNotNull'] },
        colorMode: steps === undefined ? 'none' : 'background',
        graphMode: 'area',
      },
    }),
    targets: queries.map(({ expr, legend }, index) => ({
      refId: String.fromCharCode(65 + index),
      datasource,
      expr,
      ...(kind === 'lines' ? { range: true } : { instant: true, range: false }),
      ...(kind === 'table' && { format: 'table' }),
      ...(legend !== undefined && { legendFormat: legend }),
    })),
    ...(kind === 'table' && { transformations: columnsOf(queries, columns) }),
  };
}

/**
 * One query: these columns and no others. Several: one row for each machine, a column for each query.
 *
 * @param {Query[]} queries
 * @param {string[]} [columns]
 */
function columnsOf(queries, columns) {
  if (columns !== undefined) {
    return [{ id: 'filterFieldsByName', options: { include: { names: columns } } }, order(columns)];
  }
  const hidden = ['instance', 'job', 'rack', ...noise];
  return [
    { id: 'merge', options: {} },
    {
      id: 'organize',
      options: {
        excludeByName: Object.fromEntries(hidden.map((name) => [name, true])),
        renameByName: Object.fromEntries(
          queries.map(({ legend }, index) => [
            `Value #${String.fromCharCode(65 + index)}`,
            legend ?? '',
          ]),
        ),
      },
    },
  ];
}

/** @param {string[]} columns */
function order(columns) {
  const indexByName = Object.fromEntries(columns.map((name, index) => [name, index]));
  return { id: 'organize', options: { indexByName } };
}

const text = `${JSON.stringify(dashboard(), null, 2)}\n`;
if (process.argv[2] === '--print') process.stdout.write(text);
else {
  const file = new URL('../kube/components/grafana/rack.json', import.meta.url);
  writeFileSync(fileURLToPath(file), text);
}
