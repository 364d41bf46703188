/** A bot under test: its folder, its server, and what it reported. */
import { existsSync, readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runCommand } from '@skolo/base/run-command';
import { createEvents, createLogger, systemClock } from '@skolo/common/light';
import { expect } from 'vitest';
import { logEvent } from '../../event-log.ts';
import type { AgentEvent } from '../../events.ts';
import { Bot } from '../bot.ts';
import type { BotDeps, BotSettings } from '../bot-settings.ts';
import type { BotExit } from '../bot-view.ts';
import { sweep } from '../sweep.ts';
import { python } from './python.ts';
import { type StubZip, stubZip } from './stub-bot.ts';
import { givesZip, type StubServer, startStubServer } from './stub-server.ts';

interface BotCounts {
  starts: number;
  exits: Map<BotExit, number>;
  downloads: { ok: number; failed: number };
}

export interface TestBot {
  bot: Bot;
  /** May be changed at any time. */
  settings: { current: BotSettings | undefined };
  folder: string;
  botDir: string;
  server: StubServer;
  lines: { stream: 'stdout' | 'stderr'; text: string }[];
  exits: BotExit[];
  reboots: string[];
  counts: () => BotCounts;
  logged: string[];
  /** `asked`: how often the bot part read its settings. */
  task: { isRunning: boolean; asked: number };
  /** Content of a file in the bot's directory. */
  read: (name: string) => string | undefined;
  pid: (name: string) => number;
  start: () => void;
  /** Starts it, and is fulfilled when it runs. */
  running: () => Promise<void>;
  onChange: (listener: () => void) => void;
  /** Fulfilled when the bot part has checked its settings and its bot once more. */
  looked: () => Promise<void>;
  [Symbol.asyncDispose]: () => Promise<void>;
}

const usual = {
  python: python ?? 'python3',
  backoffSeconds: { first: 0.1, most: 0.5 },
  taskGraceSeconds: 3600,
  reboot: 'restart-bot',
} as const;

export async function newBot(
  { zip, ...deps }: Partial<BotDeps> & { zip?: Omit<StubZip, 'server'> } = {},
  changes: Partial<BotSettings> = {},
): Promise<TestBot> {
  const folder = await mkdtemp(join(tmpdir(), 'bot-'));
  const server = await startStubServer();
  if (zip) server.answer = givesZip(stubZip({ server: server.url, ...zip }));
  const botDir = changes.botDir ?? join(folder, 's');
  const settings: TestBot['settings'] = {
    current: { ...usual, server: server.url, botDir, ...changes },
  };
  const logged: string[] = [];
  const task = { isRunning: false, asked: 0 };
  let looks = 0;
  const log = createLogger({
    service: 'swarming-client',
    destination: { write: (line: string) => void logged.push(line) },
  });
  const events = createEvents<AgentEvent>();
  events.consume((event) => logEvent(log, event));
  const { listeners, ...notes } = notesOf(events.consume);
  const bot = new Bot({
    settings() {
      looks += 1;
      return settings.current;
    },
    botId: 'machine-1',
    token: async () => 'the-token',
    taskRunning() {
      task.asked += 1;
      return task.isRunning;
    },
    clock: systemClock,
    log,
    emit: events.emit,
    run: runCommand,
    ...deps,
    limits: { idleMs: 20_000, taskEndMs: 20_000, lookMs: 50, ...deps.limits },
  });
  const read = (name: string) => {
    const path = join(botDir, name);
    return existsSync(path) ? readFileSync(path, 'utf8') : undefined;
  };
  return {
    bot,
    settings,
    folder,
    botDir,
    server,
    ...notes,
    logged,
    task,
    read,
    start: () => bot.start('http://127.0.0.1:1'),
    async running() {
      bot.start('http://127.0.0.1:1');
      await expect.poll(() => bot.view().state).toBe('running');
    },
    onChange: (listener) => void listeners.push(listener),
    async looked() {
      const before = looks;
      // The second one begins when the first one has done all its work.
      await expect.poll(() => looks).toBeGreaterThan(before + 1);
    },
    pid: (name) => Number(read(name) ?? Number.NaN),
    async [Symbol.asyncDispose]() {
      task.isRunning = false;
      if (settings.current) settings.current = { ...settings.current, taskGraceSeconds: 0 };
      await bot.stop();
      await sweep(botDir, undefined);
      await server.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** The content of its events. */
function notesOf(consume: (consumer: (event: AgentEvent) => void) => void) {
  const lines: TestBot['lines'] = [];
  const exits: BotExit[] = [];
  const reboots: string[] = [];
  const counts: BotCounts = { starts: 0, exits: new Map(), downloads: { ok: 0, failed: 0 } };
  const listeners: (() => void)[] = [];
  consume((event) => {
    if (event.type === 'bot') for (const listener of listeners) listener();
    if (event.type === 'bot-line') lines.push({ stream: event.stream, text: event.text });
    if (event.type === 'bot-started') counts.starts += 1;
    if (event.type === 'bot-downloaded') counts.downloads.ok += 1;
    if (event.type === 'bot-not-downloaded') counts.downloads.failed += 1;
    if (event.type === 'reboot-requested') reboots.push(event.why);
    if (event.type === 'bot-exited') {
      exits.push(event.exit);
      counts.exits.set(event.exit, (counts.exits.get(event.exit) ?? 0) + 1);
    }
  });
  return { lines, exits, reboots, counts: () => counts, listeners };
}

export function isAlive(pid: number): boolean {
  try {
    // A zombie is dead, but nobody has reaped it.
    return !/^State:\s+[ZX]/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
}
