import type { RestoreStep } from '@skolo/api';
import { expect, it } from 'vitest';
import { textOfSteps, withOptions } from './restore.ts';

const version = {
  id: '3f9a2c0f5b1d4e1298a7cc01f2a95a5b0f3e1c00',
  equipment: 'router',
  time: '2026-11-20T07:30:00.123Z',
};

function restore(comment: string, steps: RestoreStep[]) {
  return { version, comment, steps, canApply: false, canCheck: false };
}

const typed: RestoreStep = {
  title: 'load\nit',
  where: 'equipment',
  lines: ['configure', '', 'end'],
};
const get: RestoreStep = {
  title: 'get it',
  where: 'workstation',
  lines: ['skolo backup show router --secrets -o router.tar', 'scp router.tar 192.168.1.1:'],
};

it('is text that the device accepts, with any titles', () => {
  expect(textOfSteps('router', restore('!', [typed]))).toBe(
    '! router, version 3f9a2c0f5b1d, read 2026-11-20T07:30:00Z\n! 1 of 1: load it\nconfigure\n\nend\n',
  );
});

it('begins with what a version lacks', () => {
  const partial = 'the login has privilege level 7';
  const steps = { ...restore('!', [typed]), version: { ...version, partial } };

  expect(textOfSteps('router', steps).split('\n')[1]).toBe(
    '! this version is only a part of the configuration: the login has privilege level 7',
  );
});

it('has steps on the workstation as comments', () => {
  const lines = textOfSteps('router', restore(';', [get, typed])).split('\n');

  expect(lines.slice(1, 5)).toEqual([
    '; 1 of 2, ON YOUR WORKSTATION: get it',
    ';   skolo backup show router --secrets -o router.tar',
    ';   scp router.tar 192.168.1.1:',
    '; 2 of 2: load it',
  ]);
});

it('is for a shell where all of it is done on the workstation', () => {
  const lines = textOfSteps('router', restore('!', [get])).split('\n');

  expect(lines.slice(1)).toEqual(['# 1 of 1: get it', ...get.lines, '']);
});

it('is nothing but the lines for a device without comments', () => {
  expect(textOfSteps('router', restore('', [get, typed]))).toBe('configure\n\nend\n');
});

it('reads from where the present line does', () => {
  const { steps } = withOptions(restore('!', [get, typed]), ['--from', "/mnt/ann's disk"]);

  expect(steps.map(({ lines }) => lines)).toEqual([
    [
      "skolo backup show router --secrets -o router.tar --from '/mnt/ann'\\''s disk'",
      'scp router.tar 192.168.1.1:',
    ],
    typed.lines,
  ]);
});
