/** Files of a jumphost: who it is, and what it leaves for the power-cycle daemon. */
import { createPublicKey, type KeyObject } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { uptime } from 'node:os';
import { join } from 'node:path';
import { ifThere, readBootId } from '@skolo/base';
import { readFileIfExists, writeFileAtomic } from '@skolo/base/durable/atomic-file';
import {
  isSigned,
  JumphostState,
  jumphostStateFile,
  machineOf,
  rackKeyFile,
  Statement,
  statementFile,
} from '@skolo/rack/jumphost';
import { readJson } from '../json-file.ts';
import { evidenceOf } from './evidence.ts';

export interface ActiveOptions {
  rack: string;
  /** Of the jumphost, IPv4 or IPv6. */
  address: string;
  /** The interface that has it. */
  device: string;
  /** All files are below it: `/`, or a folder of a test. */
  root: string;
  /** Between two rounds of questions about a holder. */
  everySeconds: number;
  /** How long a holder of the address that proves nothing is waited for. */
  patienceSeconds: number;
}

/** Who this computer is. */
export interface Own {
  machine: string;
  /** Absent: it was never signed, or for another computer, rack or key. */
  statement?: Statement;
  /** Absent: no statement of others can be believed. */
  key?: KeyObject;
}

/** See packages/setup/src/jumphost/address/probe.ts. */
export const probe = '/usr/local/sbin/skolo-probe-address';
const powerFile = `/var/lib/skolo/power-cycle-daemon/${jumphostStateFile}`;

/** @throws Error There is no /etc/machine-id. */
export async function readOwn({ root, rack }: ActiveOptions): Promise<Own> {
  const machine = machineOf(await readFile(join(root, '/etc/machine-id'), 'utf8'));
  const pem = await readFileIfExists(join(root, rackKeyFile));
  if (pem === undefined) return { machine };
  const key = createPublicKey(pem);
  const statement = await readJson(join(root, statementFile), Statement);
  const isOwn =
    statement?.machine === machine && statement.rack === rack && isSigned(statement, key);
  return { machine, key, ...(isOwn && { statement }) };
}

/** Tells the power-cycle daemon, if there is one. What is not given stays as it is, except a conflict of an earlier boot. */
export async function tellPower({ root }: ActiveOptions, news: Partial<JumphostState>) {
  const file = join(root, powerFile);
  const before = await readJson(file, JumphostState);
  const known = before?.conflict ?? null;
  const conflict = known?.boot !== undefined && known.boot === readBootId() ? known : null;
  const text = `${JSON.stringify({ retiredBy: null, ...before, conflict, ...news })}\n`;
  await ifThere(writeFileAtomic(file, text, { mode: 0o644 }));
}

/** Tells that another computer has the address now. Returns the evidence that it is a jumphost, for people. */
export async function tellConflict(options: ActiveOptions, mac: string) {
  const evidence = await evidenceOf(options, mac);
  const boot = readBootId();
  const seen = { mac, uptime: Math.round(uptime()) };
  const conflict = { ...seen, ...(boot && { boot }), ...(evidence && { evidence }) };
  await tellPower(options, { conflict }).catch(() => undefined);
  return evidence;
}
