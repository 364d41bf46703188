/** docs/change/power-cycle-request.md, run as printed. Only the variables are the test's. */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { run, tempDir } from '@skolo/base/testing';
import { lacks } from '@skolo/simulators/peer';
import { describe, expect, it } from 'vitest';
import { Boards } from '../testing/board-driver.ts';
import { boardEquipment, startDaemon } from '../testing/daemon.ts';
import { plugIn } from '../testing/machine.ts';

const page = new URL('../../../../docs/change/power-cycle-request.md', import.meta.url);

describe.skipIf(lacks('curl', 'jq'))('the page', () => {
  it.each([
    ['back', { running: false }],
    ['busy', { running: true, id: '6f00' }],
  ])('leads to the outcome %s', async (outcome, task) => {
    const boards = new Boards();
    const machine = await plugIn(boards, 'b', ['pdu-1/2'], { host: '127.0.1.1' });
    machine.task = task;
    const daemon = await startDaemon({
      yaml: `${boardEquipment}machines:\n  b: ${machine.entry}\n`,
      boards,
    });
    const home = await tempDir();
    await writeFile(join(home, '.skolo-token'), `${daemon.token}\n`);
    const blocks = [...(await readFile(page, 'utf8')).matchAll(/^```sh\n([\s\S]*?)^```/gm)].map(
      ([, block = '']) => block,
    );
    const values: Record<string, string> = { DAEMON: daemon.url, MACHINE: 'b' };
    const script = blocks
      .join('')
      .replaceAll(/^([A-Z]+)=.*$/gm, (line, name: string) => `${name}='${values[name] ?? line}'`);

    const { stdout } = await run('sh', ['-euc', script], {
      cwd: home,
      env: { ...process.env, HOME: home },
    });

    expect(stdout).toMatch(new RegExp(`^"${outcome}"\nb: ${outcome}: \\S`, 'm'));
  });
});
