import { route } from '@skolo/api';
import { z } from 'zod';
import { createApp, HttpProblem, runService } from '../index.ts';

const Note = z.object({ machine: z.string(), text: z.string() });

/** Belongs in packages/api, for clients. */
const notesApi = {
  notes: route({
    method: 'get',
    path: '/v1/notes',
    summary: 'All notes',
    role: 'view',
    answers: { 200: z.object({ notes: z.array(Note) }) },
  }),
  setNote: route({
    method: 'put',
    path: '/v1/notes/{machine}',
    summary: 'Writes a note about a machine',
    role: 'operate',
    params: z.object({ machine: z.string() }),
    body: z.strictObject({ text: z.string(), why: z.string().optional() }),
    audits: { target: ['params.machine'], reason: 'body.why', input: ['body.text'] },
    answers: { 200: Note },
  }),
};

await runService({
  name: 'power-cycle-daemon',
  api: notesApi,
  async start(context) {
    const notes = new Map<string, string>();
    const app = createApp(context, {
      api: notesApi,
      handlers: {
        notes: () => ({
          status: 200,
          body: { notes: [...notes].map(([machine, text]) => ({ machine, text })) },
        }),
        setNote: ({ params: { machine }, body: { text } }) => {
          if (!context.rack.rack.machines.has(machine)) {
            throw new HttpProblem(404, `rack.yaml has no machine ${machine}; check its name`);
          }
          notes.set(machine, text);
          return { status: 200, body: { machine, text } };
        },
      },
    });
    return {
      handler: app,
      readiness: () => ({ ready: true, degraded: [] }),
      stop: async () => notes.clear(),
    };
  },
});
