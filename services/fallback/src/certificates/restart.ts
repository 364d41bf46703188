/**
 * Decides when k3s is restarted to renew its certificates: at night, if one expires soon, but not during a push. They are valid for a
 * year, and k3s renews those that expire within 90 days, but only when it starts (docs.k3s.io, k3s certificate). Pods keep running.
 */
import { X509Certificate } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { errorText, ifThere } from '@skolo/base';
import { writeFileAtomic } from '@skolo/base/durable/atomic-file';
import { z } from 'zod';
import { readJson } from '../json-file.ts';
import type { Context } from '../look/look.ts';
import { pushHolder } from '../push/abandoned.ts';
import { changeUnit, unitState } from '../units/units.ts';

const unit = 'k3s.service';
const dayMs = 86_400_000;
const soonMs = 60 * dayMs;
/** k3s waits for its database and network. */
const startMs = 600_000;
const triedFile = '/var/lib/skolo/fallback/certificates.json';

const Certificate = z.object({
  file: z.string(),
  /** Wall clock, ms. */
  expires: z.number(),
});
type Certificate = z.output<typeof Certificate>;

export interface Seen {
  certificates: readonly Certificate[];
  /** Those for which k3s was last restarted. */
  tried: readonly Certificate[];
  now: number;
  isRunning: boolean;
  /** Who is pushing, if anybody. */
  k3s: 'silent' | { push: string | undefined };
}

interface Decision {
  restart: boolean;
  /** Absent: nothing to log. */
  why?: string;
}

/** What to do tonight, and why. */
export function decide({ certificates, tried, now, isRunning, k3s }: Seen): Decision {
  const due = dueAt(certificates, now);
  if (due.length === 0 || !isRunning) return { restart: false };
  const isTried = ({ file, expires }: Certificate) =>
    tried.some((each) => each.file === file && each.expires === expires);
  const first = due.find((each) => !isTried(each));
  if (first === undefined) {
    const files = due.map(({ file }) => file).join(', ');
    return { restart: false, why: `the last restart of k3s did not renew ${files}` };
  }
  const why = `${first.file} expires on ${new Date(first.expires).toISOString()}`;
  if (k3s !== 'silent') {
    if (k3s.push === undefined) return { restart: true, why };
    return { restart: false, why: `${why}; postponed, because ${k3s.push} is pushing` };
  }
  // With expired certificates it does not respond, and nobody can push.
  if (first.expires <= now) return { restart: true, why };
  return { restart: false, why: `${why}; postponed, because k3s is not responding` };
}

function dueAt(certificates: readonly Certificate[], now: number): Certificate[] {
  return certificates
    .filter(({ expires }) => expires - now < soonMs)
    .sort((a, b) => a.expires - b.expires);
}

/**
 * @param folder k3s's data
 * @throws An error for people: k3s did not start, or its files cannot be read.
 */
export async function renewCertificates(
  context: Context,
  folder = '/var/lib/rancher/k3s',
): Promise<boolean> {
  const { print } = context;
  const certificates = await readAll(folder, print);
  const now = Date.now();
  const { isRunning } = await unitState(unit);
  const tried = (await readJson(triedFile, z.array(Certificate))) ?? [];
  const k3s = await context.open().then(
    async (api) => ({ push: await pushHolder(api, context) }),
    () => 'silent' as const,
  );
  const { restart, why } = decide({ certificates, tried, now, isRunning, k3s });
  if (why !== undefined) print(`certificates: ${restart ? 'restarting k3s, because ' : ''}${why}`);
  if (!restart) return true;
  await writeFileAtomic(triedFile, JSON.stringify(dueAt(certificates, now)), { mode: 0o600 });
  await changeUnit('try-restart', unit, startMs);
  return true;
}

/** Of the server, its node and its clients, without those of authorities, which are valid for ten years. */
async function readAll(folder: string, print: Context['print']): Promise<Certificate[]> {
  const parts = ['server/tls', 'agent'].map((part) => join(folder, part));
  const names = await Promise.all(
    parts.map(async (part) =>
      ((await ifThere(readdir(part, { recursive: true }))) ?? []).map((name) => join(part, name)),
    ),
  );
  const found: Certificate[] = [];
  for (const file of names.flat().filter((name) => /(?<!-ca)\.crt$/.test(name))) {
    try {
      const { validTo } = new X509Certificate(await readFile(file));
      found.push({ file, expires: Date.parse(validTo) });
    } catch (error) {
      print(`certificates: ${file}: not readable (${errorText(error)})`);
    }
  }
  return found;
}
