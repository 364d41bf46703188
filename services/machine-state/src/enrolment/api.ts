/** Handlers of operators' requests about enrolment. */
import type { enrolmentsApi } from '@skolo/api';
import type { RouteHandlers } from '@skolo/common';
import type { EnrolmentPort } from './endpoint.ts';
import type { Enrolment } from './enrolment.ts';

export function enrolmentHandlers({
  enrolment,
  port,
}: {
  enrolment: Enrolment;
  port: EnrolmentPort;
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
      const place = port.place();
      return { status: 201, body: { ...(await enrolment.newSecret(days, caller.name)), ...place } };
    },
    async revokeEnrolmentSecret({ params: { id } }) {
      await enrolment.revokeSecret(id);
      return { status: 204 };
    },
  };
}
