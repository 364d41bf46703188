/** What a token of each role can do, by attempts on a real API server. */
import { readFile } from 'node:fs/promises';
import { request } from 'node:https';
import { text } from 'node:stream/consumers';
import type { Role } from '@skolo/rack';
import { type ControlPlane, peer } from '@skolo/simulators';
import { beforeAll, describe, expect, it } from 'vitest';
import { roles } from '../way/access.ts';
import { run } from './workstation.ts';

const skolo = '/api/v1/namespaces/skolo';
const node = '/api/v1/namespaces/skolo-node';
const apps = '/apis/apps/v1/namespaces';
const rbac = '/apis/rbac.authorization.k8s.io/v1';

const reading = [
  `GET ${skolo}/pods`,
  `GET ${skolo}/pods/some/log`,
  `GET ${skolo}/configmaps/rack`,
  'GET /api/v1/nodes',
  'GET /api/v1/events?watch=1&timeoutSeconds=1',
  'GET /apis/apps/v1/daemonsets',
  `GET ${rbac}/clusterrolebindings`,
  `GET ${skolo}/services/prometheus:9090/proxy/api/v1/query`,
];
const secrets = [`GET ${skolo}/secrets/keys`, 'GET /api/v1/secrets', 'GET /api/v1/secrets?watch=1'];
/** Each is a way to be root on a node, to be somebody else, or to get more rights. */
const taking = [
  `POST ${skolo}/pods/some/exec?command=id&stdout=1`,
  `GET ${skolo}/pods/some/exec?command=id&stdout=1`,
  `POST ${node}/pods/some/attach?stdin=1`,
  `GET ${node}/pods/some/portforward?ports=80`,
  `PATCH ${node}/pods/some/ephemeralcontainers`,
  `GET ${skolo}/pods/some/proxy/`,
  `GET ${skolo}/services/http:metadata:80/proxy/`,
  `GET ${skolo}/services/alertmanager:9093/proxy/api/v2/silences`,
  `POST ${skolo}/services/prometheus:9090/proxy/-/quit`,
  'GET /api/v1/nodes/jumphost/proxy/run',
  'POST /api/v1/nodes/jumphost/proxy/run',
  'PATCH /api/v1/nodes/jumphost',
  'PUT /api/v1/nodes/jumphost/status',
  `POST ${apps}/skolo/deployments`,
  `PATCH ${apps}/skolo/deployments/router-backup`,
  `PATCH ${apps}/skolo-node/daemonsets/swarming-client`,
  `POST ${apps}/skolo-node/daemonsets`,
  'POST /apis/batch/v1/namespaces/skolo-node/jobs',
  'POST /api/v1/persistentvolumes',
  'DELETE /api/v1/namespaces/skolo',
  'DELETE /api/v1/namespaces/kube-system/pods/some',
  `PATCH ${skolo}/configmaps/rack`,
  'POST /api/v1/namespaces/skolo-access/serviceaccounts/skolo-admin/token',
  'POST /api/v1/namespaces/skolo-access/serviceaccounts/skolo-operate/token',
  'POST /api/v1/namespaces/kube-system/serviceaccounts/default/token',
  `POST ${rbac}/clusterrolebindings`,
  `PATCH ${rbac}/clusterroles/skolo-operate`,
  `POST ${rbac}/namespaces/skolo/rolebindings`,
  'POST /apis/certificates.k8s.io/v1/certificatesigningrequests',
  'POST /apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations',
];

/** Tests of the accounts of kube/base/access, in a describe whose beforeAll starts the cluster. */
export function provesRoles(clusterOf: () => ControlPlane | undefined): void {
  describe('a token', () => {
    let server = '';
    let authority = '';
    const tokens = new Map<Role, string>();

    beforeAll(async () => {
      const { kubeconfig = '' } = clusterOf() ?? {};
      const { clusters } = JSON.parse(await readFile(kubeconfig, 'utf8'));
      server = clusters[0].cluster.server;
      authority = await readFile(clusters[0].cluster['certificate-authority'], 'utf8');
      for (const role of roles) {
        const args = ['create', 'token', `skolo-${role}`, '-n', 'skolo-access'];
        const env = { ...process.env, KUBECONFIG: kubeconfig };
        tokens.set(role, (await run(peer('kubectl') ?? '', args, { env })).stdout.trim());
      }
    });

    it.each(reading)('of view or operate may %s', async (line) => {
      expect(await as('view', line)).toBeOneOf([200, 404]);
      expect(await as('operate', line)).toBeOneOf([200, 404]);
    });

    it.each([
      `DELETE ${node}/pods/some`,
      `POST ${skolo}/pods/some/eviction`,
      `PATCH ${apps}/skolo/deployments/router-backup/scale`,
    ])('of operate, and not of view, may %s', async (line) => {
      expect(await as('view', line)).toBe(403);
      expect(await as('operate', line)).not.toBe(403);
    });

    it.each([...secrets, ...taking])('of view or operate may not %s', async (line) => {
      expect(await as('view', line)).toBe(403);
      expect(await as('operate', line)).toBe(403);
    });

    it.each(['skolo', 'skolo-node', 'skolo-access', 'kube-system'])(
      'of operate creates no pod in %s',
      async (namespace) => {
        expect(await as('operate', `POST /api/v1/namespaces/${namespace}/pods`)).toBe(403);
      },
    );

    it('of operate impersonates nobody', async () => {
      const headers = { 'impersonate-user': 'system:admin', 'impersonate-group': 'system:masters' };

      expect(await as('operate', `GET ${skolo}/secrets`, headers)).toBe(403);
    });

    it('of admin may read Secrets', async () => {
      expect(await as('admin', `GET ${skolo}/secrets`)).toBe(200);
    });

    it('that somebody has changed is rejected', async () => {
      const [head, claims] = (tokens.get('admin') ?? '').split('.');

      expect(await call(`${head}.${claims}.AAAA`, `GET ${skolo}/pods`)).toBe(401);
    });

    it('that has expired is rejected', async () => {
      const tokenOf = async (seconds: number) =>
        (await clusterOf()?.tokenOf('skolo-access', 'skolo-admin', seconds)) ?? '';

      expect(await call(await tokenOf(60), `GET ${skolo}/pods`)).toBe(200);
      expect(await call(await tokenOf(-60), `GET ${skolo}/pods`)).toBe(401);
    });

    function as(role: Role, line: string, headers: Record<string, string> = {}): Promise<number> {
      return call(tokens.get(role) ?? '', line, headers);
    }

    /** The status of the answer. */
    async function call(token: string, line: string, more: Record<string, string> = {}) {
      const [method, path] = line.split(' ');
      const type = method === 'PATCH' ? 'application/merge-patch+json' : 'application/json';
      const headers = { authorization: `Bearer ${token}`, 'content-type': type, ...more };
      const { promise, resolve, reject } = Promise.withResolvers<number>();
      request(`${server}${path}`, { method, headers, ca: authority })
        .on('error', reject)
        .on('response', (response) => {
          text(response).then(() => resolve(response.statusCode ?? 0), reject);
        })
        .end(method === 'GET' || method === 'DELETE' ? undefined : '{}');
      return await promise;
    }
  });
}
