/** Limits the memory of the bodies that a process reads, and of what it parses them into: one of them (413), and all together (503). */
import { jsonShare } from '@skolo/base';
import { HttpProblem } from '../response/problem.ts';

/** One body's memory. */
export interface BodyShare {
  /** What the client can do if its body is too large. */
  hint: string;
  /** @throws HttpProblem 413: more than all bodies may use. 503: other bodies use it. */
  hold(bytes: number): void;
  release(): void;
}

export class BodiesInFlight {
  private readonly most: number;
  private held = 0;

  constructor(most = jsonShare) {
    this.most = most;
  }

  share(hint = 'send less in each request'): BodyShare {
    let own = 0;
    const set = (bytes: number) => {
      this.held += bytes - own;
      own = bytes;
    };
    return {
      hint,
      hold: (bytes) => {
        if (bytes > this.most) {
          const limit = `${Math.floor(this.most / 2 ** 20)} MiB of memory`;
          throw new HttpProblem(413, `the body requires more than ${limit}; ${hint}`);
        }
        if (this.held - own + bytes > this.most) throw tooMany();
        set(bytes);
      },
      release: () => set(0),
    };
  }
}

function tooMany(): HttpProblem {
  return new HttpProblem(
    503,
    'too many large requests are being read at the same time; retry the request in a moment',
    { headers: { 'retry-after': '1' } },
  );
}

/** Of this process. */
export const bodiesInFlight = new BodiesInFlight();
