/** The alert rules that the services bring, as Prometheus reads them: kube/base/prometheus/rules. */
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { peer } from '@skolo/simulators';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import {
  alertsIn,
  filesOfFolder,
  read,
  ruleFiles,
  rulesFolder,
  TestFile,
  testFiles,
} from './rule-files.ts';

const run = promisify(execFile);
const promtool = peer('promtool');
const noPromtool = 'promtool is not installed (Debian: prometheus)';

/** The output of promtool; it ends with a code other than 0 when it finds something. */
async function ask(program: string, ...args: string[]): Promise<string> {
  try {
    const { stdout, stderr } = await run(program, args, { cwd: rulesFolder });
    return stdout + stderr;
  } catch (error) {
    const { stdout, stderr } = z.object({ stdout: z.string(), stderr: z.string() }).parse(error);
    throw new Error(stdout + stderr);
  }
}

const cli = fileURLToPath(new URL('../../../packages/cli/src/main.ts', import.meta.url));
const helps = new Map<string, Promise<string[]>>();

/** The verbs that `skolo NOUN --help` lists. */
function verbsOf(noun: string): Promise<string[]> {
  const verbs = helps.get(noun) ?? readVerbs(noun);
  helps.set(noun, verbs);
  return verbs;
}

async function readVerbs(noun: string): Promise<string[]> {
  const { stdout } = await run(process.execPath, [cli, noun, '--help']);
  return [...stdout.matchAll(/^ {2}([a-z][\w-]*)/gm)].map(([, verb = '']) => verb);
}

describe('alert rules', () => {
  it('exist, each file with its tests, in a folder without other files', () => {
    expect(ruleFiles).not.toEqual([]);
    expect(testFiles).toEqual(ruleFiles.map((file) => file.replace(/\.yaml$/, '.test.yaml')));
    expect(filesOfFolder.toSorted()).toEqual([...ruleFiles, ...testFiles, 'README.md'].toSorted());
  });

  it.each(ruleFiles)('%s: every alert has a severity, a summary and a description', (file) => {
    for (const { alert, labels, annotations } of alertsIn(file)) {
      expect(labels.severity, alert).toBeTruthy();
      expect(annotations.summary, alert).toBeTruthy();
      expect(annotations.description, alert).toBeTruthy();
    }
  });

  it('have names of their own', () => {
    const names = ruleFiles.flatMap((file) => alertsIn(file).map(({ alert }) => alert));

    expect(names.toSorted()).toEqual([...new Set(names)].toSorted());
  });

  it.each(ruleFiles)('%s: every alert is seen firing by a test', (file) => {
    const tests = read(file.replace(/\.yaml$/, '.test.yaml'), TestFile);
    const cases = tests.tests.flatMap((test) => test.alert_rule_test);
    const firing = cases.filter((test) => test.exp_alerts.length > 0);

    expect(tests.rule_files).toContain(file);
    expect([...new Set(firing.map((test) => test.alertname))].toSorted()).toEqual(
      alertsIn(file)
        .map(({ alert }) => alert)
        .toSorted(),
    );
  });

  it.each(ruleFiles)('%s: the commands that it names exist', async (file) => {
    for (const { alert, annotations } of alertsIn(file)) {
      const text = Object.values(annotations).join(' ');
      for (const [, noun = '', verb = ''] of text.matchAll(/`skolo (\w+) ([\w-]+)/g)) {
        expect(await verbsOf(noun), `${alert}: skolo ${noun} ${verb}`).toContain(verb);
      }
    }
  });

  it.for(ruleFiles)('%s: Prometheus accepts it', async (file, context) => {
    if (!promtool) return context.skip(noPromtool);

    expect(await ask(promtool, 'check', 'rules', file)).toMatch(/SUCCESS: \d+ rules found/);
  });

  it.for(testFiles)('%s: they fire when they should, and only then', async (file, context) => {
    if (!promtool) return context.skip(noPromtool);

    expect(await ask(promtool, 'test', 'rules', file)).toContain('SUCCESS');
  });
});
