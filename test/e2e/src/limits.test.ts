/**
 * What each limit of a service allows in the worst case, in memory: a limit in bytes, lines or objects says nothing about it. Of a constant
 * whose name begins with `most`, `usualMost`, `max` or `largest`, or contains `Most` or `Max`. A new one needs a row.
 */
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';

const root = join(import.meta.dirname, '../../..');
const [kB, MB] = [1024, 2 ** 20];
/** JSON of so many bytes, if each of them is as costly as possible. */
const json = (bytes: number) => 67 * bytes;
/** The unit, the worst in bytes, and, if that is more than 16 MiB, what keeps the process alive. */
type Row = readonly [unit: string, worst: number, why?: string];
const none = (unit: string): Row => [unit, 0];
/** Clients limit the memory for the JSON of a response: to `mostBytes`, or to 16 MiB if that is less. */
const response = (bytes: number): Row => ['bytes of JSON', Math.min(json(bytes), 16 * MB)];
const ofShare = 'parseJson: a quarter of the memory';

const rows: Readonly<Record<string, Readonly<Record<string, Row>>>> = {
  'alert-to-pubsub/delivery/blame': { mostRejections: none('rejections') },
  'alert-to-pubsub/delivery/delivery': { mostSteps: none('steps of a reader') },
  'alert-to-pubsub/delivery/maintenance': { mostDeaths: none('starts') },
  'alert-to-pubsub/delivery/read-spool': { mostNear: ['characters', 128 * kB] },
  'alert-to-pubsub/delivery/sinks': {
    mostWindows: ['bytes of memory', 32 * MB, 'is what all sinks share'],
  },
  'alert-to-pubsub/intake/fingerprint': { mostKept: ['bytes', 64 * kB] },
  'alert-to-pubsub/intake/intake': {
    mostLetterMemory: ['bytes of memory', 48 * kB],
    mostShown: ['characters', 2000],
    usualMostOfMachine: none('alerts, within mostKnownMemory'),
    mostAtOnce: ['bytes of requests, or one request', json(2 ** 17), 'BodiesInFlight: a quarter'],
  },
  'alert-to-pubsub/intake/reported': { mostRemembered: ['hashes', 1000 * 200] },
  'alert-to-pubsub/receive/alert': {
    mostShown: ['characters', 120],
    mostMore: ['bytes of memory', 64 * kB],
    mostAlertMemory: ['bytes of memory', MB],
  },
  'alert-to-pubsub/receive/json': {
    mostDeep: none('levels'),
    mostSearched: ['characters of invalid JSON', json(256 * kB), 'BodiesInFlight: a quarter'],
  },
  'alert-to-pubsub/receive/messages': {
    mostGroupBytes: ['bytes of text', 16 * MB],
    mostBad: none('entries of a body, which its share contains'),
  },
  'alert-to-pubsub/state/records': {
    mostRecordMemory: ['bytes of memory', 64 * MB, 'is half of what all requests share'],
  },
  'alert-to-pubsub/state/shorten': {
    mostShort: ['bytes of memory', 8 * kB],
    mostNamed: none('names'),
  },
  'alert-to-pubsub/receive/responses': { mostNamed: none('entries of a body') },
  'alert-to-pubsub/state/dead-letters': { mostLetterBytes: ['bytes of text', 128 * kB] },
  'alert-to-pubsub/state/known-alerts': {
    mostKnownMemory: ['bytes of memory', 112 * MB, 'is what the pod has memory for'],
    mostRefreshSeconds: none('seconds'),
    mostWritten: none('alerts, within mostKnownMemory'),
  },
  'alert-to-pubsub/watch/alertmanager': {
    mostBytes: none('bytes of a stream, of which one part is kept'),
    mostPartBytes: ['bytes', 3 * MB],
    mostAlertBytes: ['bytes', 16 * MB],
    mostPartMemory: ['bytes of memory', 64 * MB, 'is half of what all requests share'],
  },
  'alert-to-pubsub/watch/heartbeat': { mostSeconds: none('seconds') },
  'alert-to-pubsub/watch/looks': { mostAtOnce: none('alerts, within mostKnownMemory') },
  'fallback/active/group': {
    mostBytes: ['bytes of a datagram of JSON', json(kB)],
    mostSources: ['addresses', 1000 * 200],
  },
  'fallback/json-file': { mostBytes: ['bytes of JSON', json(64 * kB)] },
  'fallback/kubernetes/api-server': { mostBytes: ['bytes of JSON', 128 * MB, ofShare] },
  'machine-state/api/changes': { mostRemoved: ['names of machines', 1000 * 200] },
  'machine-state/api/handlers': {
    mostLogBytes: response(4 * MB),
    mostScreenBytes: ['bytes', 16 * MB],
  },
  'machine-state/collect/agent-watch': { mostBytes: response(128 * kB) },
  'machine-state/collect/links': { mostBytes: response(16 * MB) },
  'machine-state/collect/poll': { mostFailures: none('failures') },
  'machine-state/collect/rack-file': {
    mostChanges: ['texts of 120 characters', 100 * 400],
    mostCharacters: ['characters', 240],
  },
  'machine-state/collect/readiness': {
    mostBytes: ['bytes of text, and of memory for JSON', 8 * MB],
  },
  'machine-state/collect/services': {
    mostMissed: none('cycles of a response'),
    mostBytes: response(16 * MB),
  },
  'machine-state/enrolment/cluster': { mostBytes: ['bytes of JSON', 96 * MB, ofShare] },
  'machine-state/enrolment/endpoint': { mostOfStrangers: ['bytes of JSON', json(4 * kB)] },
  'machine-state/enrolment/waiting': {
    most: ['requests of 16 MACs, a serial, a model', 1000 * 3 * kB],
  },
  'machine-state/history/history': { mostPending: ['entries of 400 characters', 20_000 * 800] },
  'machine-state/history/readings': {
    mostSeconds: none('seconds'),
    mostSensors: ['sensors of a machine', 8 * 200],
  },
  'machine-state/history/recorder': { mostAgeMs: none('milliseconds') },
  'machine-state/history/silence': { mostLetters: ['characters', 200] },
  'machine-state/history/silence-table': {
    mostSilences: none('silences, within mostCharacters'),
    mostCharacters: ['characters of JSON, and their objects', 16 * MB],
    mostOfMachine: none('silences of a machine, within mostCharacters'),
    mostCharactersOfMachine: none('characters, within mostCharacters'),
  },
  'machine-state/history/shares': { mostPerHour: none('entries on disk') },
  'machine-state/incidents/differences': { most: none('traits') },
  'machine-state/incidents/incidents': {
    mostCauses: ['texts of 500 characters', 20 * 1000],
    mostTraits: ['texts of 500 characters', 30 * 1000],
    mostTasks: ['IDs of 500 characters', 20 * 1000],
  },
  'machine-state/incidents/report': { mostMs: none('milliseconds') },
  'machine-state/join/alerts': { mostAlerts: none('alerts of a response') },
  'machine-state/join/machine': { mostLetters: ['characters', 1000] },
  'machine-state/join/sentence': { mostReasons: none('reasons') },
  'machine-state/orders/orders': {
    mostActive: none('orders of a machine'),
    mostForgotten: ['IDs of a machine', 100 * 100],
  },
  'machine-state/orders/reported': { mostReporting: none('requests at once') },
  'machine-state/timeline/cycle-requests': { mostRequests: none('requests at once') },
  'machine-state/timeline/from-history': { mostPoints: ['numbers', 1000 * 100] },
  'machine-state/timeline/merge': {
    mostDetails: ['texts of 400 characters', 100 * 800],
    mostNames: ['names', 1000 * 200],
  },
  'machine-state/timeline/sources': {
    mostBytes: response(16 * MB),
    mostAuditPages: none('responses, one after the other'),
  },
  'machine-state/timeline/timeline': {
    mostMs: none('milliseconds'),
    mostRows: ['rows of 2 kB', 2000 * 4 * kB],
    mostEntries: ['entries of 400 characters', 20_000 * 800],
  },
  'metadata-server/app': { mostRounds: none('beginnings of a request') },
  'metadata-server/caller/caller-stats': { most: ['addresses with counts', 5000 * 500] },
  'metadata-server/document/request': { mostUrls: ['URLs of 300 characters', 1000 * kB] },
  'metadata-server/event-log': { most: ['addresses with a time', 1000 * 200] },
  'metadata-server/state/rack-state': { most: ['addresses', 5000 * 500] },
  'metadata-server/tokens/tokens': {
    mostPerAccount: ['tokens of 4 kB', 100 * 8 * kB],
    mostPerCaller: ['tokens of 4 kB', 20 * 8 * kB],
    mostCallsOfCaller: none('calls at once'),
    mostCalls: ['calls at once, of 256 kB', 20 * 512 * kB],
  },
  'power-cycle-daemon/cycle/outlet-steps': {
    mostNeighbours: none('machines in rack.yaml'),
    mostLookMs: none('milliseconds'),
  },
  'power-cycle-daemon/equipment/controller': { mostInterrupted: none('failures') },
  'power-cycle-daemon/equipment/time-limit': { mostSteps: none('steps') },
  'power-cycle-daemon/equipment/usb-hub': { agentMostBytes: ['bytes of JSON', json(64 * kB)] },
  'power-cycle-daemon/machines/agent': { mostBytes: ['bytes of JSON', json(64 * kB)] },
  'power-cycle-daemon/report/metrics': { mostWatts: none('watts') },
  'power-cycle-daemon/pdudaemon/app': { mostStateBytes: ['bytes of text', 32] },
  'power-cycle-daemon/pdudaemon/listener': { mostPhrase: ['characters', 800] },
  'power-cycle-daemon/rules/targets': {
    mostNames: ['names of 63 characters', 10_000 * 200],
    mostExplained: ['names with suggestions', 100 * 400],
  },
  'router-backup/history/store': { mostRejections: none('rejections') },
  'router-backup/history/versions': { mostBytes: ['bytes of text', 16 * MB] },
  'router-backup/jumphost/archives': { mostNamed: none('names') },
  'router-backup/jumphost/find': {
    mostFound: [
      'files with paths of 100 characters',
      200_000 * 400,
      "paths are those of the jumphost's owner",
    ],
  },
  'router-backup/notices/settle': { mostPauses: none('pauses') },
  'router-backup/notices/udp': { mostMsPerSecond: none('milliseconds of CPU time') },
  'router-backup/notices/syslog': { mostBytes: ['bytes of text', 8 * kB] },
  'router-backup/offsite/loss': { mostNamed: none('names') },
  'router-backup/offsite/object-backend': { largestStep: none('milliseconds') },
  'router-backup/read/connected-hosts': { mostMs: none('milliseconds') },
  'router-backup/read/power-daemon': { mostBytes: response(16 * MB) },
  'router-backup/read/transcript': { most: ['characters', 256 * kB] },
  'router-backup/report/webhook': {
    mostWaiting: ['messages with a cut difference', 100 * 128 * kB],
  },
  'router-backup/restore/device': {
    mostBytes: [
      'bytes of an archive',
      256 * MB,
      'is in one Buffer: one restore, requested by a person',
    ],
  },
  'router-backup/runs/attempts': { mostNamed: none('names'), mostADay: ['versions', 2000 * 500] },
  'router-backup/texts/jobs': {
    mostLines: ['lines', 400_000 * 100, 'is in a process of its own, with a limit of memory'],
  },
  'swarming-client/agent': { mostBytes: ['bytes of text', 512 * kB] },
  'swarming-client/bot/download': {
    mostBytes: none('bytes on disk'),
    mostRedirects: none('redirects'),
  },
  'swarming-client/bot/lines': { mostCharacters: ['characters', 128 * kB] },
  'swarming-client/bot/repeated-errors': {
    mostMessages: ['messages of 64 kB', 100 * 128 * kB],
    mostLines: none('lines of a message'),
  },
  'swarming-client/bot/sweep': { mostRounds: none('rounds') },
  'swarming-client/devices/adb-server': {
    mostToEndMs: none('milliseconds'),
    mostToAnswerMs: none('milliseconds'),
  },
  'swarming-client/devices/evidence': {
    mostScreen: none('bytes on disk'),
    mostLog: none('bytes on disk'),
  },
  'swarming-client/devices/ios': { mostLog: none('bytes on disk') },
  'swarming-client/dimensions': { mostValueBytes: ['bytes of text', 512] },
  'swarming-client/health/forced-quarantine': { mostBytes: ['bytes of text', 2000] },
  'swarming-client/hooks/hook-server': {
    mostBodyBytes: ['bytes of JSON', json(MB), 'BodiesInFlight: a quarter, for all requests'],
  },
  'swarming-client/hooks/jobs': {
    mostSeconds: none('seconds'),
    mostProcessSeconds: none('seconds'),
    mostJobs: ['jobs with texts of 64 kB', 100 * 128 * kB],
  },
  'swarming-client/hooks/state': { mostBytes: ['bytes of text', 2000] },
  'swarming-client/host/processes': { mostLinks: none('links') },
  'swarming-client/repair/evidence': { usualMost: none('bytes on disk') },
  'swarming-client/repair/power-cycle-daemon': { mostLaterSeconds: none('seconds') },
  'swarming-client/repair/records': { mostKept: none('records') },
  'swarming-client/repair/repairs': { mostAdbPauseSeconds: none('seconds') },
  'swarming-client/status/recent-lines': {
    mostLines: none('lines, within mostCharacters'),
    mostCharacters: ['characters', 512 * kB],
  },
  'swarming-client/status/revision': { mostWaiting: none('requests at once') },
};

const declared =
  /^(?:export )?const ((?:most|usualMost|max|largest|maximum)(?:[A-Z]\w*)?|\w+(?:Most|Max)[A-Z]\w*)\b/gm;

it('has a row for each limit of a service, and none for another', () => {
  const files = globSync('services/*/src/**/*.ts', { cwd: root }).filter(
    (path) => !/\.test\.ts$|\/(?:testing|bench)\//.test(path),
  );
  const found = files.flatMap((path) => {
    const [, service, file] = /^services\/([^/]+)\/src\/(.*)\.ts$/.exec(path) ?? [];
    const text = readFileSync(join(root, path), 'utf8');
    return [...text.matchAll(declared)].map(([, name]) => `${service}/${file} ${name}`);
  });

  const listed = Object.entries(rows).flatMap(([file, limits]) =>
    Object.keys(limits).map((name) => `${file} ${name}`),
  );
  expect(listed.sort()).toEqual(found.sort());
});

it.each(
  Object.entries(rows).flatMap(([file, limits]) =>
    Object.entries(limits).map(([name, row]) => ({ where: `${file} ${name}`, row })),
  ),
)('$where is at most 16 MiB, or something else limits it', ({ row: [, worst, why] }) => {
  expect(worst <= 16 * MB || why !== undefined).toBe(true);
  expect(worst > 16 * MB || why === undefined || why.includes('BodiesInFlight')).toBe(true);
});
