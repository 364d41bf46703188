import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { describe, expect, it, vi } from 'vitest';
import type { PeerName } from './peer.ts';

/** A fresh module, because it remembers what it found. */
async function loadPeer(found?: object) {
  vi.resetModules();
  vi.stubEnv('SKOLO_PEERS', found && JSON.stringify(found));
  return (await import('./peer.ts')).peer;
}

describe('peer', () => {
  it('is where npm test found it', async () => {
    const peer = await loadPeer({ curl: { path: '/opt/curl', version: '9.0' } });

    expect(peer('curl')).toBe('/opt/curl');
    expect(peer('wrk')).toBeUndefined();
  });

  it('is looked for when nobody did so before', async () => {
    const peer = await loadPeer();

    const curl = peer('curl');

    // Either answer is right, depending on the machine; a path must be one that works.
    if (curl !== undefined) {
      expect(execFileSync(curl, ['--version'], { encoding: 'utf8' })).toMatch(/^curl /);
    } else {
      expect(() => execFileSync('curl', ['--version'], { stdio: 'ignore' })).toThrow();
    }
  });

  it('knows the names of the table and no others', () => {
    const table = readFileSync(new URL('../../../scripts/peers.mjs', import.meta.url), 'utf8');
    const names = [...table.matchAll(/^ {4}name: '(.+)',$/gm)].map(([, name]) => name);
    const known: Record<PeerName, true> = {
      curl: true,
      'python3-google-auth': true,
      gcloud: true,
      promtool: true,
      prometheus: true,
      'pubsub-emulator': true,
      wrk: true,
      dnsmasq: true,
      'python3-jsonschema': true,
      ip: true,
      'snmp-tools': true,
      snmpd: true,
      'fence-agents': true,
      ipmitool: true,
      ipmi_sim: true,
      mosquitto: true,
      'mosquitto-clients': true,
      sshd: true,
      ssh: true,
      labgrid: true,
      alertmanager: true,
      amtool: true,
      netmiko: true,
      frr: true,
      rancid: true,
      age: true,
      busybox: true,
      strace: true,
      redfishtool: true,
      pdudaemon: true,
      uhubctl: true,
      adb: true,
      libimobiledevice: true,
      'systemd-nspawn': true,
      python3: true,
      'node-exporter': true,
      'blackbox-exporter': true,
      chronyd: true,
      kubectl: true,
      'control-plane': true,
      dockerd: true,
      docker: true,
      'docker-registry': true,
      buildx: true,
      mmdebstrap: true,
      'qemu-user-static': true,
    };

    expect(names).toEqual(Object.keys(known));
  });
});
