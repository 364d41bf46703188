/** Handlers of operators' requests about enrolment. */
import type { enrolmentsApi } from '@skolo/api';
import { HttpProblem, type RouteHandlers } from '@skolo/common';
import type { enrolmentPort } from './endpoint.ts';
import type { Enrolment } from './enrolment.ts';

export function enrolmentHandlers({
  enrolment,
  port,
}: {
  enrolment: Enrolment;
  port: Pick<ReturnType<typeof enrolmentPort>, 'opened' | 'failure'>;
}): RouteHandlers<typeof enrolmentsApi> {
  return {
    enrolments: () => ({ status: 200, body: enrolment.list() }),
    adopt: async ({ body, caller }) => ({
      status: 201,
      body: await enrolment.adopt(body, caller.name),
    }),
    revokeKey: async ({ params: { key }, caller }) => ({
      status: 200,
      body: await enrolment.revokeKey(key, caller.name),
    }),
    async newEnrolmentSecret({ body: { days }, caller }) {
      if (port.opened === undefined) {
        const why = port.failure ?? 'rack.yaml does not set services.machine-state.enrolment';
        throw new HttpProblem(503, `enrolment is off: ${why}`);
      }
      const { port: number, pin } = port.opened;
      const secret = await enrolment.newSecret(days, caller.name);
      return { status: 201, body: { ...secret, port: number, pin } };
    },
    async revokeEnrolmentSecret({ params: { id } }) {
      await enrolment.revokeSecret(id);
      return { status: 204 };
    },
  };
}
