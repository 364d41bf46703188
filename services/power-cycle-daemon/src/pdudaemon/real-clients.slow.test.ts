/** The programs that labs have, unchanged, from their command to the outlet of a simulated PDU. */

import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { run } from '@skolo/base/testing';
import { loadDrivers } from '@skolo/equipment/models/load';
import { lacks, type OutletChange, peer, startTasmota } from '@skolo/simulators';
import { freeTcpPort } from '@skolo/simulators/free-port';
import { describe, expect, it, onTestFinished } from 'vitest';
import { startDaemon } from '../testing/daemon.ts';

const labgrid = peer('labgrid');
const noLabgrid = 'labgrid is not installed (Debian: python3-labgrid)';
const curl = peer('curl');

async function startLab() {
  const pdu = await startTasmota({ outlets: 8 });
  onTestFinished(() => pdu.close());
  const changes: OutletChange[] = [];
  pdu.board.on('change', (change) => changes.push(change));
  const port = await freeTcpPort();
  const daemon = await startDaemon({
    drivers: await loadDrivers(),
    yaml: `
equipment:
  pdu-1: { model: tasmota, address: 127.0.0.1, ports: { http: ${pdu.port} }, outlets: 8 }
machines:
  board-[1-8]: { kind: host, power: pdu-1/[1-8] }
`,
    settings: `    endpoints: { pdudaemon: { port: ${port}, host: 127.0.0.1, allow: [127.0.0.0/8], aliases: ['board-[1-8]'] } }`,
  });
  return { ...daemon, pdu, changes, port };
}

type Lab = Awaited<ReturnType<typeof startLab>>;

/** The code blocks under a heading of the page, for this lab. */
async function samples(heading: string, { port }: Lab): Promise<string[]> {
  const page = new URL('../../../../docs/adopt/with-your-tools.md', import.meta.url);
  const text = (await readFile(page, 'utf8')).replaceAll('192.0.2.1:16421', `127.0.0.1:${port}`);
  const [, section = ''] = text.split(`\n## ${heading}\n`);
  const [own = ''] = section.split('\n## ');
  return [...own.matchAll(/```\w*\n(.*?)```/gs)].map(([, block = '']) => block);
}

describe('labgrid', () => {
  async function told({ dir }: Lab, target: string, commands: string[]): Promise<string> {
    const environment = join(dir, 'environment.yaml');
    await writeFile(environment, `targets:\n  main:\n${target}`);
    const source = `
import sys
from labgrid import Environment
power = Environment(sys.argv[1]).get_target("main").get_driver("PowerProtocol")
for command in sys.argv[2:]:
    print(command, getattr(power, command)())`;
    const { stdout } = await run(labgrid ?? '', ['-c', source, environment, ...commands], {});
    return stdout;
  }

  async function target(lab: Lab, index: number, ...commands: string[]): Promise<string> {
    const [, text = ''] = await samples('labgrid', lab);
    return told(lab, text.replace('index: 4', `index: ${index}`), commands);
  }

  async function rest(lab: Lab, path: string, ...commands: string[]): Promise<string> {
    const [text = ''] = await samples('labgrid', lab);
    return told(lab, text.replace('board-4', path).replace("'0'", "'4'"), commands);
  }

  it.for([
    ['an outlet', 'pdu-1/{index}'],
    ['a machine by its name', 'board-4'],
  ])('reads and switches %s with its backend rest', async ([, path = ''], context) => {
    if (!labgrid) return context.skip(noLabgrid);
    const lab = await startLab();

    const answers = await rest(lab, path, 'get', 'off', 'get', 'on', 'get', 'cycle', 'get');

    expect(answers.split('\n').filter((line) => line.startsWith('get'))).toEqual([
      'get True',
      'get False',
      'get True',
      'get True',
    ]);
    const [off, on] = [false, true].map((each) => ({ outlet: '4', on: each }));
    expect(lab.changes).toEqual([off, on, off, on]);
  });

  it('fails when the state cannot be read, instead of "off"', async (context) => {
    if (!labgrid) return context.skip(noLabgrid);
    const lab = await startLab();
    lab.pdu.faults.set('down');

    await expect(rest(lab, 'board-4', 'get')).rejects.toThrow(
      /HTTPError: 500 Server Error: pdu-1: /,
    );
  });

  it('turns an outlet off, on, and off and on again when cycle or reset returns', async (context) => {
    if (!labgrid) return context.skip(noLabgrid);
    const lab = await startLab();

    const lines = await target(lab, 4, 'off', 'on', 'cycle', 'reset');
    const { cycles } = await lab.client.cycles({ query: {} });

    expect(lines).toBe('off None\non None\ncycle None\nreset None\n');
    const [off, on] = [false, true].map((each) => ({ outlet: '4', on: each }));
    expect(lab.changes).toEqual([off, on, off, on, off, on]);
    const cycle = { target: 'board-4', outcome: 'on', offSeconds: 1 };
    expect(cycles.slice(0, 2)).toMatchObject([cycle, cycle]);
  });

  it('fails when the outlet does not obey', async (context) => {
    if (!labgrid) return context.skip(noLabgrid);
    const lab = await startLab();
    lab.pdu.faults.set('ignores-commands');

    await expect(target(lab, 4, 'off')).rejects.toThrow(
      /HTTPError: 500 Server Error: failed at turn-off: the outlet is not reported as off: pdu-1\/4 is still on for url/,
    );
  });

  it('fails for an outlet that is not there', async (context) => {
    if (!labgrid) return context.skip(noLabgrid);
    const lab = await startLab();

    await expect(target(lab, 9, 'cycle')).rejects.toThrow(
      /HTTPError: 500 Server Error: pdu-1\/9: pdu-1 does not have a switchable outlet with this name; .* for url/,
    );
    expect(lab.changes).toEqual([]);
  });
});

describe('curl', () => {
  async function shell(command: string): Promise<string> {
    const { stdout } = await run('/bin/sh', ['-ec', command]);
    return stdout;
  }

  function commandsIn(dictionary: string): string[] {
    return [...dictionary.matchAll(/= "(.*)"/g)].map(([, command = '']) => command);
  }

  const accepted = 'OK - accepted request\n';

  it('carries out the commands of a device dictionary of LAVA', async (context) => {
    if (!curl) return context.skip('curl is not installed');
    const lab = await startLab();
    const [dictionary = ''] = await samples('LAVA', lab);
    const [reset = '', off = '', on = ''] = commandsIn(dictionary);

    const answers = [await shell(reset), await shell(off), await shell(on)];

    expect(answers).toEqual([accepted, accepted, accepted]);
    expect(lab.changes.map(({ on }) => on)).toEqual([false, true, false, true]);
  });

  it('turns on what is off since the last job', async (context) => {
    if (!curl) return context.skip('curl is not installed');
    const lab = await startLab();
    const [dictionary = ''] = await samples('LAVA', lab);
    const [reset = '', off = ''] = commandsIn(dictionary);
    await shell(off);

    expect(await shell(reset)).toBe(accepted);
    expect(lab.pdu.board.isOn('4')).toBe(true);
  });

  it('carries out the commands of a script', async (context) => {
    if (!curl) return context.skip('curl is not installed');
    const lab = await startLab();
    const [script = ''] = await samples('Shell scripts and CI runners', lab);

    expect(await shell(script)).toBe(`${accepted}on\n${accepted}`);
  });

  it('ends with 22 and the reason where it fails', async (context) => {
    if (!curl) return context.skip('curl is not installed');
    const lab = await startLab();
    lab.pdu.faults.set('down');
    const [dictionary = ''] = await samples('LAVA', lab);
    const [, off = ''] = commandsIn(dictionary);

    await expect(shell(off)).rejects.toMatchObject({
      code: 22,
      stdout: expect.stringMatching(/^failed at contact: pdu-1: /),
    });
  });
});

/** Home Assistant's platform `rest` (homeassistant/components/rest/switch.py), with its YAML and template libraries, but without itself. */
const homeAssistant = `
import sys, urllib.error, urllib.request, jinja2, yaml
[switch] = yaml.safe_load(open(sys.argv[1]))["switch"]
assert switch["platform"] == "rest" and switch["method"] in ("post", "put", "patch")
known = "platform name resource method body_on body_off is_on_template timeout".split()
assert set(switch) == set(known), switch
def ask(method, body=None):
    request = urllib.request.Request(switch["resource"], body and body.encode(), {"Content-Type": "application/octet-stream"}, method=method)
    try:
        with urllib.request.urlopen(request, timeout=switch["timeout"]) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()
for step in sys.argv[2:]:
    if step == "get":
        shown = jinja2.Environment().from_string(switch["is_on_template"]).render(value=ask("GET")[1]).lower()
        print({"true": "on", "false": "off"}.get(shown, "unknown"))
    else:
        print(ask(switch["method"].upper(), switch["body_" + step])[0])
`;

describe.skipIf(lacks('ansible'))('Home Assistant', () => {
  async function told(lab: Lab, ...steps: string[]): Promise<string[]> {
    const [yaml = ''] = await samples('Home Assistant', lab);
    const file = join(lab.dir, 'configuration.yaml');
    await writeFile(file, yaml);
    // Ansible's, which has both libraries.
    const { stdout } = await run('/usr/bin/python3', ['-c', homeAssistant, file, ...steps]);
    return stdout.trim().split('\n');
  }

  it('switches a machine, and shows the state that was read', async () => {
    const lab = await startLab();

    expect(await told(lab, 'get', 'off', 'get', 'on', 'get')).toEqual([
      ...['on', '200', 'off', '200', 'on'],
    ]);
    expect(lab.changes.map(({ on }) => on)).toEqual([false, true]);
  });

  it('shows unknown, not off, when the state cannot be read', async () => {
    const lab = await startLab();
    lab.pdu.faults.set('down');

    expect(await told(lab, 'get')).toEqual(['unknown']);
  });
});
