/** The agent's bot part as its own process, to be killed: `node agent.js SETTINGS`. Writes each of its states. */
import { runCommand } from '@skolo/base/run-command';
import { createLogger, systemClock } from '@skolo/common/light';
import { Bot } from '../bot.ts';
import type { BotSettings } from '../bot-settings.ts';

const settings: BotSettings = JSON.parse(process.argv[2] ?? '{}');
const bot = new Bot({
  settings: () => settings,
  botId: 'machine-1',
  token: async () => 'the-token',
  taskRunning: () => false,
  clock: systemClock,
  log: createLogger({ service: 'swarming-client', level: 'silent' }),
  run: runCommand,
  emit({ type }) {
    if (type !== 'bot') return;
    const { state, pid, why, starts } = bot.view();
    process.stdout.write(`${JSON.stringify({ state, pid, why, starts })}\n`);
  },
});
process.once('SIGTERM', () => void bot.stop().then(() => process.exit(0)));
bot.start('http://127.0.0.1:1');
