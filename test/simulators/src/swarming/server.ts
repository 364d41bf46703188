import type { IncomingMessage, ServerResponse } from 'node:http';
import { json as readJson } from 'node:stream/consumers';
import { ZodError } from 'zod';
import { CallLog } from '../cloud/call-log.ts';
import { ScriptedAnswers, type ScriptOptions } from '../cloud/scripted.ts';
import { type Answer, send, WebServer } from '../cloud/web-server.ts';
import type { Relay } from '../relay.ts';
import { ApiRejection, BotApi, type Sleeps } from './bot-api.ts';
import { BotCode, type BotCodeOptions } from './bot-code.ts';
import { Bots, type Crash, type SwarmingBot } from './bots.ts';
import { callOf, type Endpoint, type SwarmingCall } from './calls.ts';
import type { Dimensions } from './dimensions.ts';
import { download, text } from './download.ts';
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

const mostBytes = 10_000_000;

/**
 * Starts a server on loopback that behaves to bots as Swarming does: it hands out a bot (see `buildBotZip`), takes
 * its handshake, gives it commands and tasks, and keeps books. Tasks come by `poll`, not from RBE.
 *
 * Source: the protocol of luci-py's bot, and luci-go's server.
 */
export async function startSwarming(options: SwarmingOptions = {}): Promise<SimulatedSwarming> {
  const started = new SimulatedSwarming(options);
  await started.comeUp();
  return started;
}

export class SimulatedSwarming {
  /** Whole zips that were handed out. */
  downloads = 0;
  private injectedScript: string | undefined;
  private readonly host: string;
  private readonly accepts: SwarmingOptions['accepts'];
  private readonly code: BotCode;
  private readonly allTasks = new Tasks();
  private readonly allBots: Bots;
  private readonly log = new CallLog<SwarmingCall>();
  private readonly scripted = new ScriptedAnswers<Answer, Endpoint>();
  private readonly api: BotApi;
  private readonly server: WebServer;

  constructor(options: SwarmingOptions) {
    const { host = '127.0.0.1', port = 0, dimensions = { pool: ['Skolo'] } } = options;
    this.host = host;
    this.accepts = options.accepts;
    this.injectedScript = options.injectedScript;
    this.code = new BotCode({ ...options });
    this.allBots = new Bots(dimensions);
    this.api = new BotApi({
      bots: this.allBots,
      tasks: this.allTasks,
      sleeps: { idle: 0.2, quarantined: 0.3, maintenance: 0.3, ...options.sleeps },
      serverVersion: () => this.code.serverVersion,
      expectedVersion: (asked) => this.code.stableFor(asked).version,
      injectedScript: () => this.injectedScript,
      sessionSeconds: options.sessionSeconds ?? 3600,
      taskToken: (account) => ({
        access_token: `ya29.simulated.${account}`,
        expiry: Math.floor(Date.now() / 1000) + 3600,
      }),
    });
    this.server = new WebServer((request, response) => this.serve(request, response), port, host);
  }

  /** `http://127.0.0.1:PORT`, without a slash at the end. */
  get url(): string {
    return this.server.url;
  }

  get port(): number {
    return this.server.port;
  }

  /** Puts a relay in front of it, which has its address from now on. */
  async behindRelay(): Promise<Relay> {
    return await this.server.behindRelay();
  }

  /** Version of the bot that is stable now, for those who ask `url`. */
  get version(): string {
    return this.code.stableFor(`${this.host}:${this.port}`).version;
  }

  /** @returns its id */
  addTask(task: NewTask): string {
    return this.allTasks.add(task).id;
  }

  task(id: string): SwarmingTask {
    const task = this.allTasks.find(id);
    if (!task) throw new Error(`there is no task ${id}`);
    return task;
  }

  get tasks(): readonly SwarmingTask[] {
    return this.allTasks.all;
  }

  /** The running task is told to end. */
  cancelTask(id: string): void {
    this.task(id).mustStop = true;
  }

  /** By their ids. */
  get bots(): ReadonlyMap<string, SwarmingBot> {
    return this.allBots.all;
  }

  /** @throws Error Nobody has heard of it */
  bot(id: string): SwarmingBot {
    const bot = this.bots.get(id);
    if (!bot) throw new Error(`no bot ${id} has been heard of`);
    return bot;
  }

  /** Every request so far, oldest first. */
  get calls(): readonly SwarmingCall[] {
    return this.log.calls;
  }

  /** Resolves once it is so; looked at after each request. */
  async until(isSo: () => boolean, signal?: AbortSignal): Promise<void> {
    await this.log.until(isSo, signal);
  }

  /** Another version becomes the stable one. @returns it */
  askUpdate(change: { spoilt?: 'dead' | 'not-fine'; hookScript?: string } = {}): string {
    this.code.renew(change);
    return this.version;
  }

  /** The bot of that name, or all that are known: at their next poll. */
  askRestart(bot?: string): void {
    this.allBots.order({ cmd: 'bot_restart', message: 'asked by an operator' }, bot);
  }

  askReboot(bot?: string): void {
    this.allBots.order({ cmd: 'host_reboot', message: 'asked by an operator' }, bot);
  }

  terminate(bot?: string): void {
    const task = this.allTasks.add({});
    task.state = 'running';
    this.allBots.order({ cmd: 'terminate', task_id: task.id }, bot);
  }

  askCrash(how: Crash, bot?: string): void {
    this.allBots.order({ cmd: 'simulated_crash', how }, bot);
  }

  /** All bots are told to begin anew, as their group has other hooks. */
  inject(script: string | undefined): void {
    this.injectedScript = script;
  }

  /** Answers the next calls with this; what was scripted earlier comes first. */
  script(answer: Answer, options?: ScriptOptions<Endpoint>): void {
    this.scripted.add(answer, options);
  }

  /** Answers as Swarming does again. */
  behave(): void {
    this.scripted.clear();
  }

  /** An outage: connections are refused, those that are open end. */
  async goDown(): Promise<void> {
    await this.server.close();
  }

  /** The same address again, with all that was known. */
  async comeUp(): Promise<void> {
    await this.server.open();
  }

  async close(): Promise<void> {
    await this.goDown();
  }

  private async serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const call = callOf(request);
    this.log.arrive(call);
    response.on('close', () => {
      if (response.headersSent) call.status = response.statusCode;
      this.log.update();
    });
    send(response, this.scripted.next(call.endpoint) ?? (await this.answerTo(request, call)));
    request.resume();
  }

  private async answerTo(request: IncomingMessage, call: SwarmingCall): Promise<Answer> {
    const { code, accepts } = this;
    const { endpoint, method, path, token, botId } = call;
    const { host = '' } = request.headers;
    if (endpoint === 'server_ping') return text(200, 'Server up');
    if (endpoint === 'bot_code' || endpoint === 'zip') {
      const onZip = () => {
        this.downloads += 1;
      };
      return download(call, { code, accepts, host, onZip });
    }
    if (endpoint === 'unknown' || method !== 'POST') return text(404, 'Not found\n');
    if (botId === undefined || (accepts && !accepts(token, botId))) {
      return text(403, 'The bot is not who it says it is.\n');
    }
    try {
      const body = await readJson(limited(request));
      const argument = path.split('/').slice(6).join('/');
      const answer = this.api.answer(endpoint, { argument, botId, host, body });
      return { status: 200, body: answer };
    } catch (error) {
      if (error instanceof ApiRejection) return text(error.status, `${error.message}\n`);
      if (error instanceof ZodError || error instanceof SyntaxError) {
        return text(400, `${error.message}\n`);
      }
      throw error;
    }
  }
}

async function* limited(request: IncomingMessage): AsyncGenerator<Buffer> {
  let length = 0;
  for await (const chunk of request) {
    length += chunk.length;
    if (length > mostBytes) throw new SyntaxError('the body is too large');
    yield chunk;
  }
}
