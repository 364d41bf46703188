import { execFileSync, spawnSync } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { tempDir } from '@skolo/base/testing';
import { expect, it } from 'vitest';
import { inFront, nodeCommand, script, withArguments, withVariables } from './script.ts';

it('gives a script arguments of any text, and a program keeps its first line', async () => {
  const file = join(await tempDir(), 'print.sh');
  await writeFile(file, '#!/bin/sh\nfor each; do echo "<$each>"; done\n');
  const print = script(pathToFileURL(file));

  const text = withArguments(print, "a 'quoted' $HOME", '', 3, '$&');

  expect(text).toMatch(/^#!\/bin\/sh\nset -- /);
  expect(execFileSync('sh', ['-c', text], { encoding: 'utf8' })).toBe(
    "<a 'quoted' $HOME>\n<>\n<3>\n<$&>\n",
  );
  expect(withArguments('exit $#\n', 'one')).toBe('set -- one\nexit $#\n');
});

it('runs a module with arguments of any text, without warnings', () => {
  const module = "import 'node:sqlite'; console.log(JSON.stringify(process.argv.slice(1)));";

  const command = nodeCommand(module, ["a 'b' $c", '', 3], process.execPath);

  const { stdout, stderr } = spawnSync('sh', ['-c', command], { encoding: 'utf8' });
  expect([JSON.parse(stdout), stderr]).toEqual([["a 'b' $c", '', '3'], '']);
});

it('gives an installed program values, and keeps its own arguments', () => {
  const program = '#!/bin/sh\nsay "$name: $1"\n';

  const text = withVariables(inFront(program, 'say() { echo "$@"; }\n'), { name: "a 'b' $c" });

  expect(text).toMatch(/^#!\/bin\/sh\nname=/);
  expect(execFileSync('sh', ['-c', text, 'sh', 'own'], { encoding: 'utf8' })).toBe(
    "a 'b' $c: own\n",
  );
});
