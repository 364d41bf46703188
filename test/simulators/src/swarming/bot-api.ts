/** What the server answers to its bots, all that comes after the download. */
import { createHash } from 'node:crypto';
import { z } from 'zod';
import { Attributes, type Bots, type SwarmingBot } from './bots.ts';
import type { Endpoint } from './calls.ts';
import { opened, type Session, sealed } from './session.ts';
import { manifestOf, type SwarmingTask, type Tasks } from './tasks.ts';

/** Seconds for which a bot is told to sleep. */
export interface Sleeps {
  /** Nothing to do; 0.2 when absent. */
  idle?: number;
  /** 60 to 240 on a real server; 0.3 when absent. */
  quarantined?: number;
  /** 10 to 60 on a real server; 0.3 when absent. */
  maintenance?: number;
}

interface BotApiDeps {
  bots: Bots;
  tasks: Tasks;
  sleeps: Required<Sleeps>;
  serverVersion: () => string;
  /** Which version a bot that asks this host must have. */
  expectedVersion: (host: string) => string;
  /** The script of its group, which the handshake carries. */
  injectedScript: () => string | undefined;
  sessionSeconds: number;
  taskToken: (account: string) => { access_token: string; expiry: number };
}

export class ApiRejection extends Error {
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

interface Request {
  /** Of the path: task_update/ID. */
  argument: string;
  botId: string;
  host: string;
  body: z.output<typeof Body>;
}

interface Command {
  cmd: string;
  [more: string]: unknown;
}

const Body = z.looseObject({ session: z.string().optional() });
const Handshake = Attributes.extend({ session_id: z.string() });
const Event = z.looseObject({
  event: z.enum(['bot_error', 'bot_log', 'bot_rebooting', 'bot_shutdown']),
  message: z.string(),
});
const TaskUpdate = z.looseObject({
  output: z.base64().optional(),
  output_chunk_start: z.int().optional(),
  exit_code: z.int().optional(),
  duration: z.number().optional(),
  hard_timeout: z.boolean().optional(),
});
const TaskError = z.looseObject({ message: z.string() });
const OauthToken = z.looseObject({ account_id: z.string() });

export class BotApi {
  private readonly deps: BotApiDeps;

  constructor(deps: BotApiDeps) {
    this.deps = deps;
  }

  /** @throws ApiRejection, ZodError */
  answer(endpoint: Endpoint, request: Omit<Request, 'body'> & { body: unknown }): object {
    const body = Body.parse(request.body);
    const asked = { ...request, body };
    if (endpoint === 'handshake') return this.handshake(asked);
    const session = opened(body.session);
    if (endpoint === 'event') return this.event(asked);
    if (!session || session.bot !== request.botId)
      throw new ApiRejection(403, 'no session of yours');
    const renewed = { session: this.sessionOf(session.bot, session.key, session) };
    switch (endpoint) {
      case 'poll':
        return { ...this.poll(asked, session), ...renewed };
      case 'task_update':
        return { ...this.taskUpdate(asked), ...renewed };
      case 'task_error':
        return this.taskError(asked);
      case 'oauth_token':
        return this.oauthToken(asked);
      default:
        throw new ApiRejection(404, 'there is nothing of that name');
    }
  }

  /** Changes with the script, and every bot must then begin anew. */
  private rev(): string {
    const script = this.deps.injectedScript() ?? '';
    return createHash('sha256').update(script).digest('hex').slice(0, 12);
  }

  private sessionOf(bot: string, key: string, old?: Session): string {
    const expires = old?.expires ?? Date.now() + this.deps.sessionSeconds * 1000;
    // Each call makes it live on, unless it is over.
    const isOver = old !== undefined && old.expires < Date.now();
    const until = isOver ? expires : Date.now() + this.deps.sessionSeconds * 1000;
    return sealed({ bot, key, expires: until, rev: old?.rev ?? this.rev() });
  }

  private handshake({ botId, host, body }: Request): object {
    const attributes = Handshake.parse(body);
    const { bots, tasks, expectedVersion, serverVersion, injectedScript } = this.deps;
    const bot = bots.see(botId, attributes);
    bot.handshakes += 1;
    bot.pid = Number(attributes.session_id.split('/')[1]);
    tasks.botBeganAnew(botId);
    const script = injectedScript();
    return {
      session: this.sessionOf(botId, attributes.session_id),
      bot_version: expectedVersion(host),
      server_version: serverVersion(),
      bot_config_name: 'skolo_bot_config.py',
      bot_config_rev: this.rev(),
      ...(script !== undefined && { bot_config: script }),
      bot_group_cfg: { dimensions: bots.fixed },
    };
  }

  private poll({ botId, host, body }: Request, session: Session): object {
    const bot = this.deps.bots.see(botId, Attributes.parse(body));
    bot.polls += 1;
    const command = this.commandFor(bot, host, session);
    bot.commands.push(command.cmd);
    return command;
  }

  private commandFor(bot: SwarmingBot, host: string, session: Session): Command {
    const { bots, tasks, sleeps, expectedVersion } = this.deps;
    const version = expectedVersion(host);
    if (bot.version !== version) return { cmd: 'update', version };
    if (session.expires < Date.now()) return restart('the session has expired');
    if (session.rev !== this.rev()) return restart('the hooks of the group have changed');
    const order = bots.nextOrder(bot.id);
    if (order) return { ...order };
    if (bot.quarantined !== undefined) return { cmd: 'sleep', duration: sleeps.quarantined };
    if (bot.maintenance !== undefined) return { cmd: 'sleep', duration: sleeps.maintenance };
    const task = tasks.take(bot.id, bot.dimensions);
    if (task) return { cmd: 'run', manifest: manifestOf(task, bot.id, `http://${host}`) };
    return { cmd: 'sleep', duration: sleeps.idle };
  }

  private event({ botId, body }: Request): object {
    const { event, message } = Event.parse(body);
    const attributes = Attributes.safeParse(body);
    const { bots } = this.deps;
    const bot = attributes.success ? bots.see(botId, attributes.data) : bots.all.get(botId);
    bot?.events.push({ at: Date.now(), event, message });
    return {};
  }

  private taskUpdate({ argument, body }: Request): object {
    const update = TaskUpdate.parse(body);
    const task = this.taskOf(argument);
    if (task.state !== 'running') {
      task.lateUpdates += 1;
      return { ok: true, must_stop: true, stop_reason: `it is ${task.state}` };
    }
    const output = Buffer.from(task.output, 'latin1').subarray(0, update.output_chunk_start);
    task.output = `${output.toString('latin1')}${decoded(update.output)}`;
    if (update.exit_code !== undefined) {
      task.exitCode = update.exit_code;
      task.state = task.mustStop || update.hard_timeout ? 'killed' : 'completed';
    }
    const { mustStop } = task;
    return { ok: true, must_stop: mustStop, ...(mustStop && { stop_reason: 'canceled' }) };
  }

  private taskError({ argument, body }: Request): object {
    const task = this.taskOf(argument);
    task.error = TaskError.parse(body).message;
    if (task.state === 'running') task.state = task.mustStop ? 'killed' : 'failed';
    else task.lateUpdates += 1;
    return { resp: 1 };
  }

  private oauthToken({ body }: Request): object {
    const { account_id: account } = OauthToken.parse(body);
    return { service_account: account, ...this.deps.taskToken(account) };
  }

  private taskOf(id: string): SwarmingTask {
    const task = this.deps.tasks.find(id);
    if (!task) throw new ApiRejection(404, `there is no task ${id}`);
    return task;
  }
}

function restart(message: string) {
  return { cmd: 'bot_restart', message };
}

/** Byte for byte: what a task says need not be text. */
function decoded(output: string | undefined): string {
  return Buffer.from(output ?? '', 'base64').toString('latin1');
}
