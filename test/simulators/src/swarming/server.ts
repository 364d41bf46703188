import type { IncomingMessage, ServerResponse } from 'node:http';
import { json as readJson } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { ZodError } from 'zod';
import { CallLog } from '../cloud/call-log.ts';
import { WebServer } from '../cloud/web-server.ts';
import { ApiRejection, BotApi, type Sleeps } from './bot-api.ts';
import { BotCode, type BotCodeOptions } from './bot-code.ts';
import { Bots, type Crash, type SwarmingBot } from './bots.ts';
import { callOf, type SwarmingCall } from './calls.ts';
import type { Dimensions } from './dimensions.ts';
import { type Answer, download, json, text, write } from './download.ts';
import { playInstead, type SwarmingFault, SwarmingFaults } from './faults.ts';
import { type NewTask, type SwarmingTask, Tasks } from './tasks.ts';

export interface SwarmingOptions extends BotCodeOptions {
  /** 0, any free one, when absent. */
  port?: number;
  /** 127.0.0.1 when absent. */
  host?: string;
  /**
   * Whether a bearer token, or none, is good for the bot that asks; everybody is let in when absent. Where it is
   * given, the download without the name of a bot is rejected, as for a token that is only good for bots.
   */
  accepts?: (token: string | undefined, botId: string) => boolean;
  /** Of the server's configuration, for all bots; the pool when absent. */
  dimensions?: Dimensions;
  /** The hooks of the group, which come with the handshake. */
  injectedScript?: string;
  sleeps?: Sleeps;
  /** 3600 when absent. */
  sessionSeconds?: number;
}

export interface SimulatedSwarming {
  /** `http://127.0.0.1:PORT`, without a slash at the end. */
  readonly url: string;
  readonly port: number;
  /** Version of the bot that is stable now, for those who ask `url`. */
  readonly version: string;

  /** @returns its id */
  addTask(task: NewTask): string;
  task(id: string): SwarmingTask;
  readonly tasks: readonly SwarmingTask[];
  /** The running task is told to end. */
  cancelTask(id: string): void;

  /** By their ids. */
  readonly bots: ReadonlyMap<string, SwarmingBot>;
  /** @throws Error Nobody has heard of it */
  bot(id: string): SwarmingBot;
  /** Every request so far, oldest first. */
  readonly calls: readonly SwarmingCall[];
  /** Whole zips that were handed out. */
  readonly downloads: number;
  /** Resolves once it is so; looked at after each request. */
  until(isSo: () => boolean, signal?: AbortSignal): Promise<void>;

  /** Another version becomes the stable one. @returns it */
  askUpdate(change?: { spoilt?: 'dead' | 'not-fine'; hookScript?: string }): string;
  /** The bot of that name, or all that are known: at their next poll. */
  askRestart(bot?: string): void;
  askReboot(bot?: string): void;
  terminate(bot?: string): void;
  askCrash(how: Crash, bot?: string): void;
  /** All bots are told to begin anew, as their group has other hooks. */
  inject(script: string | undefined): void;

  readonly faults: SwarmingFaults;
  /** An outage: connections are refused, those that are open end. */
  goDown(): Promise<void>;
  /** The same address again, with all that was known. */
  comeUp(): Promise<void>;
  close(): Promise<void>;
}

const mostBytes = 10_000_000;

/**
 * Starts a server on loopback that behaves to bots as Swarming does: it hands out a bot (see `buildBotZip`), takes
 * its handshake, gives it commands and tasks, and keeps books. Tasks come by `poll`, not from RBE.
 *
 * Source: the protocol of luci-py's bot, and luci-go's server.
 */
export async function startSwarming(options: SwarmingOptions = {}): Promise<SimulatedSwarming> {
  const {
    host: ownHost = '127.0.0.1',
    port: wantedPort = 0,
    accepts,
    dimensions = { pool: ['Skolo'] },
  } = options;
  const { sleeps, sessionSeconds = 3600 } = options;
  let { injectedScript } = options;
  const faults = new SwarmingFaults();
  const code = new BotCode({ ...options });
  const tasks = new Tasks();
  const bots = new Bots(dimensions);
  const log = new CallLog<SwarmingCall>();
  let downloads = 0;
  const api = new BotApi({
    bots,
    tasks,
    sleeps: { idle: 0.2, quarantined: 0.3, maintenance: 0.3, ...sleeps },
    serverVersion: () => code.serverVersion,
    expectedVersion: (host) => code.stableFor(host).version,
    injectedScript: () => injectedScript,
    sessionSeconds,
    taskToken: (account) => ({
      access_token: `ya29.simulated.${account}`,
      expiry: Math.floor(Date.now() / 1000) + 3600,
    }),
  });

  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const call = callOf(request);
    log.arrive(call);
    response.on('close', () => {
      if (response.headersSent) call.status = response.statusCode;
      log.done();
    });
    const fault = faults.take(call.endpoint);
    if (fault) call.fault = fault.kind;
    if (fault?.kind === 'slow') await sleep(fault.ms);
    if (fault && playInstead(fault.kind, response)) {
      request.resume();
      return;
    }
    write(response, await answerTo(request, call, fault?.kind));
    request.resume();
  }

  async function answerTo(
    request: IncomingMessage,
    call: SwarmingCall,
    fault: SwarmingFault | undefined,
  ): Promise<Answer> {
    const { endpoint, method, path, token, botId } = call;
    const { host = '' } = request.headers;
    if (endpoint === 'server_ping') return text(200, 'Server up');
    if (endpoint === 'bot_code' || endpoint === 'zip') {
      return download(call, {
        code,
        accepts,
        host,
        fault,
        onZip() {
          downloads += 1;
        },
      });
    }
    if (endpoint === 'unknown' || method !== 'POST') return text(404, 'Not found\n');
    if (botId === undefined || (accepts && !accepts(token, botId))) {
      return text(403, 'The bot is not who it says it is.\n');
    }
    try {
      const body = await readJson(limited(request));
      const argument = path.split('/').slice(6).join('/');
      return json(api.answer(endpoint, { argument, botId, host, body }));
    } catch (error) {
      if (error instanceof ApiRejection) return text(error.status, `${error.message}\n`);
      if (error instanceof ZodError || error instanceof SyntaxError) {
        return text(400, `${error.message}\n`);
      }
      throw error;
    }
  }

  const server = new WebServer(serve, wantedPort, ownHost);
  await server.open();
  const { url, port } = server;

  const botOf = (id: string) => {
    const bot = bots.all.get(id);
    if (!bot) throw new Error(`no bot ${id} has been heard of`);
    return bot;
  };
  const taskOf = (id: string) => {
    const task = tasks.find(id);
    if (!task) throw new Error(`there is no task ${id}`);
    return task;
  };
  return {
    url,
    port,
    get version() {
      return code.stableFor(`${ownHost}:${port}`).version;
    },
    addTask: (task) => tasks.add(task).id,
    task: taskOf,
    tasks: tasks.all,
    cancelTask: (id) => {
      taskOf(id).mustStop = true;
    },
    bots: bots.all,
    bot: botOf,
    calls: log.calls,
    get downloads() {
      return downloads;
    },
    until: (isSo, signal) => log.until(isSo, signal),
    askUpdate: (change = {}) => {
      code.renew(change);
      return code.stableFor(`${ownHost}:${port}`).version;
    },
    askRestart: (bot) => bots.order({ cmd: 'bot_restart', message: 'asked by an operator' }, bot),
    askReboot: (bot) => bots.order({ cmd: 'host_reboot', message: 'asked by an operator' }, bot),
    terminate: (bot) => {
      const task = tasks.add({});
      task.state = 'running';
      bots.order({ cmd: 'terminate', task_id: task.id }, bot);
    },
    askCrash: (how, bot) => bots.order({ cmd: 'simulated_crash', how }, bot),
    inject: (script) => {
      injectedScript = script;
    },
    faults,
    goDown: () => server.close(),
    comeUp: () => server.open(),
    close: () => server.close(),
  };
}

async function* limited(request: IncomingMessage): AsyncGenerator<Buffer> {
  let length = 0;
  for await (const chunk of request) {
    length += chunk.length;
    if (length > mostBytes) throw new SyntaxError('the body is too large');
    yield chunk;
  }
}
