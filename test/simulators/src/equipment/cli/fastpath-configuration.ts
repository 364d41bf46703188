/** `show running-config` of Fastpath: only what differs from the factory settings, with remarks that change by themselves. */
import type { Fastpath } from './fastpath.ts';

export function fastpathInterface({ poe }: Fastpath, port: string): string {
  const mode = poe.opMode(port);
  const setting = mode === 'auto' ? '' : `poe opmode ${mode}\n`;
  return `interface  ${port}\n${setting}exit\n`;
}

export function fastpathConfiguration(device: Fastpath): string {
  const { poe, name } = device;
  const interfaces = poe.ports.filter((port) => poe.opMode(port) !== 'auto');
  return [
    '',
    '!Current Configuration:',
    '!',
    '!System Description "EdgeSwitch 24-Port 250W, 1.9.3, Linux 3.6.5-03329b4a, 1.1.0.5102011"',
    '!System Software Version "1.9.3"',
    '!System Up Time          "12 days 3 hrs 41 mins 7 secs"',
    '!Additional Packages     QOS,IPv6 Management,Routing',
    '!Current SNTP Synchronized Time: SNTP Last Attempt Status Is Not Successful',
    '!',
    'network protocol none',
    'vlan database',
    'exit',
    ...(name === 'UBNT EdgeSwitch' ? [] : [`hostname "${name}"`]),
    'configure',
    'line console',
    'exit',
    'line telnet',
    'exit',
    'line ssh',
    'exit',
    '!',
    ...interfaces.map((port) => `${fastpathInterface(device, port)}`),
    'exit',
    '',
  ].join('\n');
}
