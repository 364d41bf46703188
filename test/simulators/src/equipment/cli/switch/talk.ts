/** The dialogue with a device: prompts, lines, what they do, rejections. */

import type { Terminal } from '../terminal.ts';
import type { Files } from '../unix/box.ts';
import { scp } from '../unix/scp.ts';
import { keptLine } from './account-statements.ts';
import { type Found, findCommand } from './command-table.ts';
import type { LineConfiguration } from './line-configuration.ts';
import type { Commands, Run, SwitchMode, SwitchModel, Talk } from './model.ts';
import type { Switch } from './switch.ts';

const CTRL_Z = '\x1a';

/** Talks until somebody leaves. */
export async function talkTo(device: Switch, terminal: Terminal): Promise<number | undefined> {
  const { model } = device;
  const talk = begin(device, terminal);
  terminal.pager = model.pager;
  const greeting = device.fill(model.greeting, {}, talk);
  await terminal.greet(greeting, promptOf({ ...talk, mode: 'privileged' }));
  if (model.afterGreeting !== undefined) terminal.put(model.afterGreeting);
  await model.welcome?.(talk);
  let gap = model.gap ?? '';
  while (!talk.isOver) {
    const prompt = promptOf(talk);
    if (model.beforePrompt !== undefined) terminal.put(model.beforePrompt);
    const asked = `${gap}${prompt}${device.core.logBehindPrompt()}`;
    const typed = (await model.readLine?.(talk, asked)) ?? (await terminal.readLine(asked));
    gap = typed.trim() === '' ? '' : (model.gap ?? '');
    const line = typed === CTRL_Z ? 'end' : typed;
    if (line.trim() === '' && !linesOf(talk).isInFreeText) continue;
    const kept = model.accounts ? keptLine(line.trim(), model.accounts) : line.trim();
    terminal.session.log(model.logged?.(kept) ?? kept);
    if (model.beforeAnswer !== undefined) terminal.put(device.fill(model.beforeAnswer));
    await terminal.answer(await carryOut(talk, line, prompt));
  }
  return model.exitStatus;
}

function begin(device: Switch, terminal: Terminal): Talk {
  const mode = device.model.firstMode ?? 'user';
  return { device, terminal, mode, isOver: false, notes: new Map() };
}

/** A command in an ssh channel of its own. The answer is its exit status. */
export async function runCommand(
  device: Switch,
  terminal: Terminal,
  command: string,
  { status, unknown }: NonNullable<SwitchModel['exec']>,
): Promise<number> {
  const { files } = device.model;
  if (files && command.startsWith('scp ')) return await copy(terminal, command, files);
  const talk = begin(device, terminal);
  const line = command.trim();
  const { statements } = modeOf(talk);
  const answer = (await runIn(talk, talk.mode, line)) ?? (await statements?.enter(talk, line));
  await terminal.answer(answer ?? unknown);
  return status;
}

async function copy(terminal: Terminal, command: string, files: Files): Promise<number> {
  Object.assign(terminal.screen, { interactive: false, newline: '\n' });
  const words = command.split(' ').map((word) => word.replace(/^(['"])(.*)\1$/, '$2'));
  const args = words.slice(1).map((word) => word.replace(/^(?!-)\.?\/?/, '/'));
  return (await scp({ args, terminal, box: { files } })).status ?? 0;
}

/** The answer of a command of a mode; undefined: there is no such command. */
async function runIn(talk: Talk, mode: string, line: string): Promise<string | undefined> {
  const found = findIn(talk, talk.device.model.modes[mode]?.commands ?? {}, line);
  return found.kind === 'command' ? await answerOf(talk, found.run, found.words) : undefined;
}

/** Where what is typed in configuration mode goes. */
export function linesOf({ device }: Talk): LineConfiguration {
  return device.running;
}

/** The mode, or that of the section in which it is. */
export function modeOf(talk: Talk): SwitchMode {
  const { modes } = talk.device.model;
  const mode = modes[`${talk.mode} ${placeOf(talk)}`] ?? modes[talk.mode];
  if (mode === undefined) throw new RangeError(`no mode ${talk.mode}`);
  return mode;
}

export function placeOf(talk: Talk): string {
  const section = linesOf(talk).sections.at(-1);
  if (section === undefined) return 'config';
  const found = talk.device.model.places?.find(([pattern]) => pattern.test(section));
  return found ? section.replace(found[0], found[1]) : 'config';
}

export function promptOf(talk: Talk): string {
  return talk.device.fill(modeOf(talk).prompt, {}, talk);
}

async function carryOut(talk: Talk, typed: string, prompt: string): Promise<string> {
  const { device } = talk;
  const { model } = device;
  const mode = modeOf(talk);
  if (mode.configures && linesOf(talk).isInFreeText) return enterLine(talk, typed);
  const [doing] = (mode.configures && /^\s*do\s+/.exec(typed)) || [''];
  const line = typed.slice(doing.length);
  const { commands } = doing ? (model.modes.privileged ?? mode) : mode;
  const found = findIn(talk, commands, line);
  if (found.kind === 'command') return await answerOf(talk, found.run, found.words);
  const { statements } = mode;
  if (statements?.known.test(`${line.trim()} `)) return await statements.enter(talk, line.trim());
  const isExit = line.trim() === 'exit' || line.trim() === 'end';
  if (mode.configures && !doing && isExit) return leaveSection(talk, line.trim());
  const isStatement = /^\s*!/.test(line) || linesOf(talk).knows(line.trim());
  if (mode.configures && !doing && isStatement) return enterLine(talk, line);
  const indent = prompt.slice(prompt.lastIndexOf('\n') + 1).length;
  return reject(talk, found, line, indent + doing.length);
}

function findIn({ device: { model } }: Talk, commands: Commands, line: string) {
  const table = Object.entries(commands).map(([pattern, run]) => ({ pattern, run }));
  return findCommand(table, model.rewrite?.(line) ?? line);
}

async function answerOf(talk: Talk, said: string | Run, words: string[]): Promise<string> {
  const forbidden = talk.device.model.forbid?.(talk, words.join(' '));
  if (forbidden !== undefined) return forbidden;
  if (typeof said === 'string')
    return talk.device.fill(said, Object.fromEntries(words.entries()), talk);
  return await said(talk, words);
}

/** A statement of the configuration. */
function enterLine(talk: Talk, line: string): string {
  const { device, terminal } = talk;
  const forbidden = device.model.forbid?.(talk, line.trim());
  if (forbidden !== undefined) return forbidden;
  terminal.session.act(() => {
    linesOf(talk).enter(line);
    device.changed(terminal.session.user);
  });
  return '';
}

/** Out of the section, or of the configuration. */
function leaveSection(talk: Talk, word = 'end'): string {
  const lines = linesOf(talk);
  if (word === 'exit' && lines.sections.length > 0) lines.enter('exit');
  else {
    lines.leave();
    talk.mode = 'privileged';
  }
  return '';
}

type Rejected = Exclude<Found<unknown>, { kind: 'command' }>;

/** @param indent how far the line stands from the left */
function reject(talk: Talk, found: Rejected, line: string, indent: number): string {
  const { model } = talk.device;
  const words = { ...model.rejections, ...modeOf(talk).rejections };
  const column = found.kind === 'invalid' ? found.column : line.length;
  const isAlone = found.kind === 'invalid' && column === 0 && !line.includes(' ');
  const text = (isAlone ? words.unknown : words[found.kind]) ?? words.invalid ?? '';
  const before = line.slice(0, column).trim().split(/\s+/).filter(Boolean);
  const all = line.trim().split(/\s+/);
  return talk.device.fill(text, {
    line: line.trim(),
    last: all.at(-1) ?? '',
    token: String(before.length),
    word: all[before.length] ?? '',
    marker: `${' '.repeat(indent + column)}^\n`,
  });
}
