import { describe, expect, it } from 'vitest';
import { UnmountedSecretsError } from '../secrets/service-secrets.ts';
import { derivedObjects } from '../testing/derived.ts';
import { smallRack } from '../testing/example.ts';
import { renderDerived } from './render.ts';

const text = `identities:
  bots: { project: my-project, credentials: { serviceAccountKey: secrets/bots.json } }
access: { tokens: { file: secrets/tokens.yaml } }
logins:
  switches: { username: admin, password: secrets/switch, enablePassword: { env: SWITCH_ENABLE } }
  machines: { username: root, privateKey: ./secrets/switch }
services:
  metadata-server: { tls: { cert: tls/cert.pem, key: tls/key.pem } }
  alert-to-pubsub: { sinks: [{ name: chat, kind: http, url: "https://example.com" }] }
`;

describe('the Secret of a service', () => {
  it('is mounted beside rack.yaml, with each file that the service reads at its place', () => {
    const found = derivedObjects(smallRack(text), 'secrets-metadata-server.yaml');

    expect(found).toEqual([
      {
        apiVersion: 'apps/v1',
        kind: 'Deployment',
        metadata: { name: 'metadata-server' },
        spec: {
          template: {
            spec: {
              volumes: [
                {
                  name: 'etc-skolo',
                  projected: {
                    sources: [
                      {
                        configMap: {
                          name: 'rack',
                          items: [{ key: 'rack.yaml', path: 'rack.yaml' }],
                        },
                      },
                      {
                        secret: {
                          name: 'metadata-server',
                          optional: true,
                          items: [
                            { key: 'bots.json', path: 'secrets/bots.json' },
                            { key: 'tokens.yaml', path: 'secrets/tokens.yaml' },
                            { key: 'tls.cert.pem', path: 'tls/cert.pem' },
                            { key: 'tls.key.pem', path: 'tls/key.pem' },
                          ],
                        },
                      },
                    ],
                  },
                },
              ],
            },
          },
        },
      },
    ]);
  });

  it('has a file once that rack.yaml names twice, and gives variables to the container', () => {
    const rack = smallRack(text);

    const found = derivedObjects(rack, 'secrets-router-backup.yaml');

    const items = [
      { key: 'switch', path: 'secrets/switch' },
      { key: 'tokens.yaml', path: 'secrets/tokens.yaml' },
    ];
    expect(found).toMatchObject([
      {
        spec: {
          template: {
            spec: {
              containers: [
                {
                  name: 'router-backup',
                  env: [
                    {
                      name: 'SWITCH_ENABLE',
                      valueFrom: {
                        secretKeyRef: {
                          name: 'router-backup',
                          key: 'SWITCH_ENABLE',
                          optional: true,
                        },
                      },
                    },
                  ],
                },
              ],
              volumes: [{ projected: { sources: [{}, { secret: { items } }] } }],
            },
          },
        },
      },
    ]);
  });

  it('is not there for a service without secrets', () => {
    const { files } = renderDerived(smallRack());

    expect([...files.keys()].filter((name) => name.startsWith('secrets-'))).toEqual([]);
    expect(files.get('README.md')).toContain('### alert-to-pubsub\n\nNo secrets.');
  });

  it('is described by README.md', () => {
    const readme = renderDerived(smallRack(text)).files.get('README.md');

    expect(readme).toContain('### metadata-server\n\nIn the namespace `skolo-node`.');
    expect(readme).toContain(
      '| `switch` | `secrets/switch` | `logins.switches.password`, `logins.machines.privateKey` |',
    );
  });

  it('is one of Alertmanager and Prometheus, too, where they have to sign in', () => {
    const rack = smallRack(`services:
  power-cycle-daemon: { repair: { enabled: true } }
  alert-to-pubsub: { auth: { bearer: secrets/alerts } }
`);

    const readme = renderDerived(rack).files.get('README.md');

    expect(readme).toContain('`secrets/alertmanager-token`, made by `skolo secrets generate`');
    expect(readme).toContain('### prometheus');
    expect(renderDerived(smallRack()).files.get('README.md')).not.toContain('### alertmanager');
  });

  it('rejects files that no pod sees, all at once', () => {
    const rack = smallRack(`access: { tokens: { file: ../tokens.yaml } }
identities:
  bots: { project: my-project, credentials: { refreshToken: /home/ann/adc.json } }
`);

    const thrown = (() => {
      try {
        renderDerived(rack);
      } catch (error) {
        return error;
      }
    })();

    expect(thrown).toBeInstanceOf(UnmountedSecretsError);
    expect(thrown instanceof UnmountedSecretsError && thrown.problems).toEqual([
      {
        where: 'identities.bots.credentials.refreshToken',
        message: expect.stringContaining(
          '/home/ann/adc.json is outside of the folder of rack.yaml',
        ),
      },
      {
        where: 'access.tokens',
        message: expect.stringContaining('put the file at secrets/NAME'),
      },
    ]);
  });
});
