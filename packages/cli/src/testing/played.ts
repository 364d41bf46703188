/** Plays a recording, and reads it again with the real drivers. */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { tempDir } from '@skolo/base/testing';
import { models } from '@skolo/equipment/models';
import { type Reading, Recording } from '@skolo/equipment/recordings';
import { played } from '@skolo/equipment/recordings/testing';
import { readRack } from '@skolo/rack';
import { startPlayback } from '@skolo/simulators';
import { onTestFinished } from 'vitest';
import { parse, stringify } from 'yaml';
import { lookAtRack } from '../commands/check/equipment/look.ts';
import { readingOf } from '../commands/check/equipment/recordings.ts';

export async function readRecording(file: string): Promise<Recording> {
  return Recording.parse(parse(await readFile(file, 'utf8')));
}

/** What skolo reads from it now. */
export async function readingPlayed(recording: Recording): Promise<Reading> {
  const { model, transport, options, reading } = recording;
  const password = 'canary-played-2b8e';
  const device = await startPlayback(played(recording), { username: 'admin', password });
  onTestFinished(() => device.close());
  const dir = await tempDir();
  await writeFile(join(dir, 'password'), password, { mode: 0o600 });
  const secret = { password: 'password', enablePassword: 'password' };
  const snmp = { version: '2c', community: 'password' };
  const { all } = models.get(model)?.power?.outlets ?? {};
  const outlets = all?.(options)[0] === undefined ? Object.keys(reading.outlets ?? {}) : [];
  const rack = {
    rack: 'played',
    jumphost: { name: 'jumphost', address: '127.0.0.8' },
    logins: { all: { username: 'admin', ...secret, snmp } },
    equipment: {
      'device-1': {
        ...{ model, transport, login: 'all', ...options },
        ...(reading.configuration === undefined && { backup: false }),
        ...{ address: device.host, ports: device.ports },
      },
    },
    machines: Object.fromEntries(
      outlets.map((outlet, at) => [
        `machine-${at}`,
        { kind: 'host', address: `127.0.1.${at + 1}`, power: `device-1/${outlet}` },
      ]),
    ),
  };
  const file = join(dir, 'rack.yaml');
  await writeFile(file, stringify(rack));
  const about = { pauseMs: 1, timeoutMs: 60_000, signal: new AbortController().signal };
  const { equipment: looks } = await lookAtRack(await readRack(file), about);
  const [look] = looks;
  if (look === undefined) throw new Error(`${file} has no equipment`);
  // For a person who wonders why it is not the same.
  const problems = look.problems.filter(({ kind }) => kind === 'failed' || kind === 'sign-in');
  if (problems.length > 0) throw new Error(problems.map(({ found }) => found).join('\n'));
  return readingOf(look, (text) => text);
}
