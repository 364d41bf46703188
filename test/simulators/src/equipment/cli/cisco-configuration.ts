/** What Cisco IOS prints of its configuration, and into its log. */
import type { Cisco } from './cisco.ts';
import { longName } from './cisco-poe.ts';

export function interfaceLines({ poe }: Cisco, port: string): string {
  const mode = poe.mode(port);
  const power = mode === 'auto' ? [] : [` power inline ${mode}`];
  return [`interface ${longName(port)}`, ' switchport mode access', ...power].join('\n');
}

export function configuration(text: string): string {
  const body = `!\n${text}\nend\n`;
  return `Building configuration...\n\nCurrent configuration : ${body.length} bytes\n${body}\n`;
}

/** `show running-config`, whole. */
export function ciscoConfiguration(device: Cisco): string {
  const ports = device.poe.ports.map((port) => `${interfaceLines(device, port)}\n!`);
  return configuration(
    [
      'version 16.12',
      'service timestamps log datetime msec',
      '!',
      `hostname ${device.hostName}`,
      '!',
    ]
      .concat(ports, 'line vty 0 4', ' login local', ' transport input ssh', '!')
      .join('\n'),
  );
}

export function logLine(text: string): string {
  return `*Nov 20 10:37:49.492: ${text}`;
}
