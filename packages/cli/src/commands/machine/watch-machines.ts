/** Follows the list of machines through machine-state's stream of changes. */

import type { Machine } from '@skolo/api';
import { followed } from '@skolo/api/server-events';
import { pause } from '@skolo/base';
import { complain } from '../../errors.ts';
import type { Io } from '../../io.ts';
import { jsonText } from '../../output/text.ts';
import { type MachineState, temporaryReason } from '../../reach/service-client.ts';
import { untilStopped } from '../../until-stopped.ts';

/** Exactly one of them is used. */
interface Shows {
  /** Shows the complete state. */
  print?: (machines: readonly Machine[]) => void;
  /** Which changes to print, as one JSON line each. */
  shown?: (machines: readonly Machine[]) => Machine[];
}

/** Pause between two screens. */
const pauseMs = 1000;

/** Runs until Ctrl-C, and reconnects a lost connection. @throws CliError The first connection fails. */
export async function watchMachines(
  io: Io,
  service: MachineState,
  { print, shown }: Shows,
): Promise<void> {
  using stop = untilStopped(io);
  const { signal } = stop;
  const known = new Map<string, Machine>();
  let isDrawn = false;
  let drawing: Promise<void> | undefined;

  function draw(): void {
    if (print === undefined) return;
    // Clears the screen only when there is something to show.
    if (io.rows !== undefined) void io.raw('\x1b[H\x1b[2J');
    else if (isDrawn) io.out('');
    isDrawn = true;
    print([...known.values()]);
  }

  /** Once for simultaneous changes. */
  function drawSoon(): void {
    drawing ??= pause(pauseMs, signal)
      .then(draw, () => undefined)
      .finally(() => {
        drawing = undefined;
      });
  }

  function changed(machine: Machine): void {
    known.set(machine.name, machine);
    for (const each of shown?.([machine]) ?? []) io.out(jsonText(each));
    drawSoon();
  }

  const changes = followed({
    connect: async () => (await service.ask((client) => client.changes({ signal }))).events,
    lost(error, failures) {
      const why = temporaryReason(error);
      if (why === undefined || known.size === 0) throw error;
      if (failures === 1) complain(io, `connection lost: ${why}; reconnecting`);
    },
    signal,
  });
  try {
    for await (const event of changes) {
      if (event.name === 'all') {
        known.clear();
        for (const machine of event.data.machines) known.set(machine.name, machine);
        for (const each of shown?.(event.data.machines) ?? []) io.out(jsonText(each));
        draw();
      } else if (event.name === 'machine') changed(event.data);
      else if (event.name === 'removed') {
        known.delete(event.data.name);
        drawSoon();
      }
    }
  } catch (error) {
    // Ctrl-C is the normal end of a watch.
    if (!signal.aborted) throw error;
  } finally {
    await drawing;
  }
}
