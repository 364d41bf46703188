import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { PeerName } from './peer.ts';

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
    const curl = peerOf('curl');

    // Either answer is right, depending on the machine; a path must be one that works.
    if (typeof curl === 'string') {
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
      sops: true,
      mtools: true,
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
      'real-node': true,
      chromium: true,
      zsh: true,
      containerd: true,
      'containerd-2': true,
      xfsprogs: true,
      debian: true,
      'cloud-init': true,
      'cloud-init-root': true,
      'virt-arm64': true,
      'virt-amd64': true,
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
