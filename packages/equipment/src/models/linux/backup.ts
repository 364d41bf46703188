/**
 * A Linux host, whose files are backed up: those that `files` means, without those that `exclude` means, with mode and owner.
 *
 * Verified with: Debian 12 (GNU tar, findutils, coreutils), BusyBox 1.35.
 * rack.yaml: `router: { model: linux, address: 192.168.1.1, login: routers, files: ['/etc/**'], exclude: ['*.bak'] }`
 * Each file is verified by its SHA-256, computed there and here. The account reads them, or `sudo -n find`, `sudo -n tar` and
 * `sudo -n sha256sum` where `sudo: true`; restoring takes `sudo -n sh`. Times of files are not kept, hard links become
 * files of their own, devices and sockets are left out.
 */
import { randomUUID } from 'node:crypto';
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { closing } from '@skolo/base';
import type { DeviceConnection } from '@skolo/equipment/transports';
import { tarFault } from '../configuration/archive.ts';
import { tarOf, writeTar } from '../configuration/archive-write.ts';
import type { BackupModel, Content, Reading, SecretRule } from '../contract/backup.ts';
import type { Device } from '../contract/device.ts';
import { Collected } from './collect.ts';
import { Host, HostFiles } from './host.ts';
import { apply, check, steps } from './restore.ts';

/** Larger archives stay in a file. */
const inMemory = 4 * 1024 * 1024;

const secrets: readonly SecretRule[] = [
  // shadow(5), gshadow(5)
  /^[\w.-]+\$?:!{0,2}([^:!*\s][^:\s]{12,}):/,
];

export function backup({ options }: Device): BackupModel {
  const about = HostFiles.parse(options);
  return {
    format: 'tar',
    verifiedBy: 'transfer',
    read: (connection) => read(connection, about),
    incomplete: (content) => incomplete(content, about),
    volatile: [],
    secrets,
    restore: {
      comment: '#',
      steps: (content, version) => steps(content, version, about),
      check: (connection, content) => check(connection, content, about),
      apply: (connection, content, step) => apply(connection, content, about, step),
    },
  };
}

async function read(connection: DeviceConnection, about: HostFiles): Promise<Reading> {
  const host = new Host(connection, about);
  const { identity, paths } = await host.list();
  await using collected = closing(await Collected.of(host, paths));
  const part = host.unreadable();
  const extent = part === undefined ? 'whole' : { part };
  return { content: await archived(collected), identity, extent };
}

/** In the same directory as its source, which is removed. */
async function archived({ members, folder }: Collected): Promise<Content> {
  if (folder === undefined) return { bytes: await tarOf(members) };
  const content = await writeTar(members, join(folder, randomUUID()));
  if (content.size > inMemory) return content;
  const bytes = await readFile(content.file);
  await rm(content.file);
  return { bytes };
}

function incomplete(content: Content, { files }: HostFiles): Promise<string | undefined> {
  return tarFault(content, (members) =>
    members.every(({ type }) => type === 'folder')
      ? `no file matches ${files.join(' or ')}`
      : undefined,
  );
}
