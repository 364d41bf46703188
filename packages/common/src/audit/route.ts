import { auditApi } from '@skolo/api/audit-log';
import { errorText } from '@skolo/base';
import { HttpProblem } from '../http/response/problem.ts';
import { type BoundRoute, bindRoutes } from '../http/routes.ts';
import type { AuditLog } from './audit-log.ts';

/** `/v1/audit` of a service. */
export function auditRoute(audit: Pick<AuditLog, 'read'>): BoundRoute[] {
  return bindRoutes(auditApi, {
    async audit({ query }) {
      const body = await audit.read(query).catch((cause: unknown) => {
        const detail = `the audit log cannot be read: ${errorText(cause)}`;
        throw new HttpProblem(503, detail, { cause });
      });
      return { status: 200, body };
    },
  });
}
