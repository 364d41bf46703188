/**
 * cloud-init with its NoCloud data source: Raspberry Pi OS since Trixie (2025-10-02), and Ubuntu.
 * Sources: cloudinit.readthedocs.io; customization_generator.cpp of Raspberry Pi Imager, for settings that work on a Raspberry Pi.
 */
import { stringify } from 'yaml';
import type { PiSetup } from '../setup.ts';
import type { Method } from './customization.ts';
import { netplanOf } from './network.ts';
import { bootFolder, setupFile } from './setup-script.ts';

/** @param instance unique for each setup, because cloud-init runs once for each */
export function cloudInitFiles(setup: PiSetup, instance: string, method: Method) {
  const { identity, domain, user, timezone, keyboard, locale } = setup;
  const { hostname } = identity;
  const userData = {
    hostname,
    ...(domain !== undefined && { fqdn: `${hostname}.${domain}` }),
    // The setup script writes it.
    manage_etc_hosts: false,
    timezone,
    keyboard: { layout: keyboard },
    locale,
    // Singular: it renames the default user, and keeps its groups.
    user: {
      name: user.name,
      lock_passwd: true,
      shell: '/bin/bash',
      sudo: 'ALL=(ALL) NOPASSWD:ALL',
      ssh_authorized_keys: user.keys,
    },
    ssh_pwauth: false,
    runcmd: [['sh', `${bootFolder}/${setupFile}`]],
  };
  return {
    'user-data': `#cloud-config\n${yaml(userData)}`,
    // With a hyphen. The underscore in Raspberry Pi OS's file is ignored.
    'meta-data': yaml({ 'instance-id': instance, 'local-hostname': hostname }),
    'network-config': yaml(netplanOf(setup, method)),
  };
}

/** YAML 1.1, as cloud-init reads it, in which `no` is a keyword and 0755 a number. */
function yaml(value: unknown): string {
  return stringify(value, { version: '1.1', lineWidth: 0, aliasDuplicateObjects: false });
}
