import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { tempDir } from '@skolo/base/testing';
import { lacks } from '@skolo/simulators';
import { expect, it } from 'vitest';
import { digestOfCa } from './cluster.ts';

/** By openssl: a root, and an authority that it has signed. */
async function authorities() {
  const dir = await tempDir();
  const openssl = (...args: string[]) => execFileSync('openssl', args, { cwd: dir, stdio: 'pipe' });
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  openssl('req', '-x509', ...key, '-subj', '/CN=root', '-keyout', 'root.key', '-out', 'root.pem');
  openssl('req', ...key, '-subj', '/CN=cluster', '-keyout', 'ca.key', '-out', 'ca.csr');
  await writeFile(join(dir, 'ca.ext'), 'basicConstraints=critical,CA:true\n');
  const signed = ['-CA', 'root.pem', '-CAkey', 'root.key', '-CAcreateserial', '-extfile', 'ca.ext'];
  openssl('x509', '-req', '-in', 'ca.csr', ...signed, '-out', 'ca.pem');
  const read = (name: string) => readFile(join(dir, name), 'utf8');
  const der = openssl('x509', '-in', 'root.pem', '-outform', 'der');
  return { root: await read('root.pem'), authority: await read('ca.pem'), der };
}

const sha256 = (bytes: string | Buffer) => createHash('sha256').update(bytes).digest('hex');

it.skipIf(lacks('openssl'))('has the digest of a cluster as k3s computes it', async () => {
  const { root, authority, der } = await authorities();

  // The last line end is a part of the file.
  expect(digestOfCa(root)).toBe(sha256(root));
  expect(digestOfCa(`${authority}${root}`)).toBe(sha256(der));
  expect(digestOfCa(`${authority}${authority}`)).toBe(sha256(`${authority}${authority}`));
});
