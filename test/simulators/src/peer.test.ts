import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { type PeerName, peer, peerNames } from './peer.ts';

/** In a process of its own, because a process remembers what it found. */
function peerOf(name: PeerName, found?: object): unknown {
  const module = JSON.stringify(new URL('./peer.ts', import.meta.url).href);
  const program = `import { peer } from ${module}; console.log(JSON.stringify(peer('${name}') ?? null))`;
  const { SKOLO_PEERS: _, ...env } = process.env;
  const peers = found === undefined ? {} : { SKOLO_PEERS: JSON.stringify(found) };
  const args = ['--input-type=module', '--eval', program];
  const printed = execFileSync(process.execPath, args, {
    encoding: 'utf8',
    env: { ...env, ...peers },
  });
  return JSON.parse(printed);
}

describe('peer', () => {
  it('is where npm test found it', () => {
    const found = { curl: { path: '/opt/curl', version: '9.0' } };

    expect(peerOf('curl', found)).toBe('/opt/curl');
    expect(peerOf('wrk', found)).toBeNull();
  });

  it('is looked for when nobody did so before', () => {
    const found = peerOf('curl');
    const curl = peer('curl');

    // Either answer is right, depending on the machine; a path must be one that works.
    expect(found).toBe(curl ?? null);
    if (curl === undefined) return;
    expect(execFileSync(curl, ['--version'], { encoding: 'utf8' })).toMatch(/^curl /);
  });

  it('knows the names of the table and no others', () => {
    const table = readFileSync(new URL('../../../scripts/peers.yaml', import.meta.url), 'utf8');
    const names = [...table.matchAll(/^- \{ name: ([\w-]+),/gm)].map(([, name]) => name);

    expect(names.toSorted()).toEqual(peerNames.toSorted());
  });
});
