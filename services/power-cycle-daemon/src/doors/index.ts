/** All doors, opened as rack.yaml says, and opened anew when it says something else. To add one: a file, and a line here. */
import { createServer, type Server } from 'node:http';
import { isDeepStrictEqual } from 'node:util';
import {
  clientAddress,
  type DegradedList,
  errorText,
  inNetworks,
  type Logger,
} from '@skolo/common';
import type { Rack } from '@skolo/rack';
import type { Door, DoorDeps } from './door.ts';
import { pdudaemon } from './pdudaemon.ts';
import { report } from './report.ts';

const doors: readonly Door[] = [pdudaemon, report];

export interface DoorsDeps extends DoorDeps {
  rack: () => Rack;
  log: Logger;
  degraded: Pick<DegradedList, 'raise' | 'clear'>;
}

interface Settings {
  port: number;
  host?: string | undefined;
  allow: string[];
}

interface Open {
  settings: Settings;
  server: Server;
}

/** Where something else listens now, it is tried again. */
const retryMs = 10_000;

export class Doors {
  private readonly deps: DoorsDeps;
  private readonly open = new Map<string, Open>();
  private following: Promise<void> = Promise.resolve();
  private retrying: NodeJS.Timeout | undefined;
  private isClosed = false;

  constructor(deps: DoorsDeps) {
    this.deps = deps;
  }

  /** Opens and closes what rack.yaml says now. Never throws: a door that cannot be opened is degraded. */
  follow(): Promise<void> {
    this.following = this.following.then(() => this.followNow());
    return this.following;
  }

  /** Where a door listens; undefined while it is closed. */
  port(name: Door['name']): number | undefined {
    const address = this.open.get(name)?.server.address();
    return typeof address === 'object' ? address?.port : undefined;
  }

  async close(): Promise<void> {
    this.isClosed = true;
    clearTimeout(this.retrying);
    await this.following;
    await Promise.all([...this.open.keys()].map((name) => this.shut(name)));
  }

  private async followNow(): Promise<void> {
    if (this.isClosed) return;
    const wanted = this.deps.rack().services['power-cycle-daemon'].doors;
    let failed = false;
    for (const door of doors) {
      const settings = wanted[door.name];
      const now = this.open.get(door.name);
      if (isDeepStrictEqual(now?.settings, settings)) continue;
      if (now !== undefined) await this.shut(door.name);
      if (settings === undefined) this.deps.degraded.clear(`door ${door.name}`);
      else if (!(await this.tryOpen(door, settings))) failed = true;
    }
    clearTimeout(this.retrying);
    if (failed) this.retrying = setTimeout(() => void this.follow(), retryMs);
  }

  private async tryOpen(door: Door, settings: Settings): Promise<boolean> {
    const { log, degraded } = this.deps;
    const server = this.serverOf(door, settings);
    try {
      await new Promise<void>((resolve, reject) => {
        server.once('error', reject);
        server.listen(
          { port: settings.port, ...(settings.host !== undefined && { host: settings.host }) },
          resolve,
        );
      });
    } catch (error) {
      degraded.raise(`door ${door.name}`, errorText(error));
      return false;
    }
    degraded.clear(`door ${door.name}`);
    this.open.set(door.name, { settings, server });
    log.info({ door: door.name, port: this.port(door.name) }, 'door open');
    return true;
  }

  private serverOf(door: Door, { allow }: Settings): Server {
    const { log } = this.deps;
    const mayEnter = inNetworks(allow);
    const answer = door.create(this.deps);
    const server = createServer((request, response) => {
      const from = clientAddress(request);
      if (!mayEnter(from)) {
        log.warn({ door: door.name, from }, 'not let in');
        response.writeHead(403, { 'content-type': 'text/plain' });
        response.end(`${from} is not in the list \`allow\` of this door\n`);
        return;
      }
      answer(request, response, from).catch((error: unknown) => {
        log.error({ err: error, door: door.name }, 'request failed');
        if (response.headersSent) response.destroy();
        else response.writeHead(500, { 'content-type': 'text/plain' }).end('Failed\n');
      });
    });
    // Its clients wait for the result, however long that takes.
    server.requestTimeout = 60_000;
    server.timeout = 0;
    return server;
  }

  private async shut(name: string): Promise<void> {
    const found = this.open.get(name);
    if (found === undefined) return;
    this.open.delete(name);
    found.server.closeAllConnections();
    await new Promise((resolve) => found.server.close(resolve));
  }
}
