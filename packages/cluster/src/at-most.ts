import type { Host } from '@skolo/jumphost';

/** The same computer, with so many commands at once at most. */
export function atMost(host: Host, most: number): Host {
  let running = 0;
  const waiting: (() => void)[] = [];
  async function inTurn<T>(work: () => Promise<T>): Promise<T> {
    if (running >= most) await new Promise<void>((resolve) => waiting.push(resolve));
    else running += 1;
    try {
      return await work();
    } finally {
      // Whoever waits takes the place over.
      const next = waiting.shift();
      if (next === undefined) running -= 1;
      else next();
    }
  }
  return {
    name: host.name,
    run: (script, options) => inTurn(() => host.run(script, options)),
    need: (script, options) => inTurn(() => host.need(script, options)),
    write: (file) => inTurn(() => host.write(file)),
    read: (path) => inTurn(() => host.read(path)),
  };
}
