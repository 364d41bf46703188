import type { IncomingMessage, ServerResponse } from 'node:http';
import type { PowerCycle } from '@skolo/api';
import type { ScriptedCycle } from './lives.ts';

interface StreamTuning {
  /** Finished cycles. */
  past(): PowerCycle[];
  stepMs: number;
  signal: AbortSignal;
}

/** Server-sent events. Listening advances the time. */
export class CycleStreams {
  private readonly cycles: ReadonlyMap<string, ScriptedCycle>;
  private readonly tuning: StreamTuning;
  private hasDropped = false;

  constructor(cycles: ReadonlyMap<string, ScriptedCycle>, tuning: StreamTuning) {
    this.cycles = cycles;
    this.tuning = tuning;
  }

  open(request: IncomingMessage, response: ServerResponse): void {
    const ids = new URL(request.url ?? '/', 'http://host').searchParams.get('ids') ?? '';
    const wanted =
      ids === ''
        ? [...this.cycles.values()]
        : ids.split(',').flatMap((id) => this.cycles.get(id) ?? []);
    response.writeHead(200, { 'content-type': 'text/event-stream' }).write(': hello\n\n');
    const send = ({ now }: Pick<ScriptedCycle, 'now'>) => {
      response.write(`event: cycle\ndata: ${JSON.stringify(now)}\n\n`);
    };
    for (const now of ids === '' ? this.tuning.past() : []) send({ now });
    for (const cycle of wanted) send(cycle);
    const passing = setInterval(() => {
      for (const cycle of wanted.filter(({ isOver }) => !isOver)) {
        cycle.advance();
        send(cycle);
        if (this.drops(cycle)) request.socket.destroy();
      }
    }, this.tuning.stepMs);
    const end = () => {
      clearInterval(passing);
      this.tuning.signal.removeEventListener('abort', end);
      response.end();
    };
    response.on('close', end);
    this.tuning.signal.addEventListener('abort', end);
  }

  /** Once, in the middle of the host's first cycle. */
  private drops({ now }: ScriptedCycle): boolean {
    if (this.hasDropped || now.target !== 'skia-e-linux-01' || now.step !== 'off') return false;
    this.hasDropped = true;
    return true;
  }
}
