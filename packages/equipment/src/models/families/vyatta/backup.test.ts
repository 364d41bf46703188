import { startEdgeos, startVyos, type VyattaDevice } from '@skolo/simulators';
import { describe, expect, it } from 'vitest';
import { createMask } from '../../configuration/mask.ts';
import { isSame } from '../../configuration/text.ts';
import { backup as edgeos } from '../../edgeos/edgeos.ts';
import { backUp, bytesOf, simulated } from '../../testing/simulated-device.ts';
import { backup as vyos } from '../../vyos/vyos.ts';
import { vyatta } from './dialect.ts';

const secretive = `interfaces {
    ethernet eth0 {
        pppoe 0 {
            password canary-pppoe
            user-id me
        }
    }
    wireguard wg0 {
        peer AAAA= {
            preshared-key canary-preshared
        }
        private-key canary-wireguard
        public-key notSecretAtAll
    }
}
protocols {
    bgp 65001 {
        neighbor 10.0.0.1 {
            password "canary bgp"
        }
    }
    ospf {
        md5-key canary-ospf
        redistribute {
            community 65001:7
        }
    }
}
service {
    dns {
        dynamic {
            password canary-dyndns
        }
    }
    snmp {
        community canary-community {
            authorization ro
        }
        v3 {
            user me {
                auth {
                    encrypted-key canary-snmp-auth
                }
                privacy {
                    plaintext-key canary-snmp-priv
                }
            }
        }
    }
}
system {
    config-management {
        commit-archive {
            location "scp://me:canary-url@10.0.0.9/archive"
        }
        commit-revisions 20
    }
    host-name rack4-router
    login {
        radius-server 10.0.0.5 {
            secret canary-radius
        }
        user ubnt {
            authentication {
                encrypted-password $6$canary$hash
                plaintext-password canary-plaintext
            }
            full-name "has the password"
            level admin
        }
    }
}
vpn {
    ipsec {
        site-to-site {
            peer 10.0.0.8 {
                authentication {
                    mode pre-shared-secret
                    pre-shared-secret canary-psk
                }
            }
        }
    }
}
`;
const canaries = new Set(secretive.match(/canary[\w-]*/g));

const kinds = [
  { name: 'edgeos', start: startEdgeos, model: edgeos },
  { name: 'vyos', start: startVyos, model: vyos },
];

describe.each(kinds)('a configuration of $name', ({ name, start, model: create }) => {
  async function sit(options: { configuration?: string; export?: string } = {}) {
    const { export: as = 'file', ...rest } = options;
    const sitting = await simulated<VyattaDevice>(
      (account) => start({ ...account, secondMs: 1, ...rest }),
      { model: name, options: { export: as } },
    );
    return { ...sitting, model: create(sitting.inventory) };
  }

  async function type(connect: Awaited<ReturnType<typeof sit>>['connect'], ...lines: string[]) {
    const connection = connect();
    const cli = await connection.cli(vyatta);
    for (const line of ['configure', ...lines, 'exit']) await cli.run(line);
    await connection.close();
  }

  it('is what would be saved, when that was not saved yet', async () => {
    const { device, model, connect } = await sit();
    await type(connect, 'set system host-name other', 'commit');

    const unsaved = await backUp(model, connect());
    await type(connect, 'save');
    const saved = await backUp(model, connect());

    expect(bytesOf(unsaved.content)).toEqual(device.startup());
    expect(bytesOf(saved.content)).toEqual(device.startup());
    expect(unsaved.startup?.toString()).not.toContain('other');
    expect(await isSame(bytesOf(saved.content), saved.startup ?? Buffer.alloc(0), model)).toBe(
      true,
    );
    expect(unsaved.identity.hostname).toBe('other');
    expect(unsaved.changedBy).toMatch(/^skolo via cli, \d{4}-\d\d-\d\d \d\d:\d\d:\d\d$/);
  });

  it('is a list of commands where rack.yaml wants that', async () => {
    const { model, connect } = await sit({ export: 'commands' });
    const quote = name === 'vyos' ? "'" : '';

    const before = await backUp(model, connect());
    await type(connect, "set interfaces ethernet eth0 description 'to the uplink'", 'commit');
    const after = await backUp(model, connect());

    const line = "set interfaces ethernet eth0 description 'to the uplink'\n";
    expect(bytesOf(before.content).toString()).toContain(
      `set interfaces ethernet eth0 duplex ${quote}auto${quote}\n`,
    );
    expect(before.startup).toEqual(bytesOf(before.content));
    expect(bytesOf(after.content).toString()).toContain(line);
    expect(after.startup?.toString()).not.toContain('to the uplink');
    expect(after.identity).toEqual(before.identity);
  });

  it.each(['file', 'commands'])('shows no secret once it is masked: %s', async (as) => {
    const { model, connect } = await sit({ configuration: secretive, export: as });
    const { content } = await backUp(model, connect());
    const text = bytesOf(content).toString();

    const masked = createMask(Buffer.alloc(32, 1)).text(text, model.secrets);

    expect([...canaries].filter((canary) => !text.includes(canary))).toEqual([]);
    expect(canaries.size).toBeGreaterThan(12);
    expect(masked.split('\n').filter((line) => line.includes('canary'))).toEqual([]);
    for (const plain of ['notSecretAtAll', 'has the password', '65001:7', 'pre-shared-secret']) {
      expect(masked).toContain(plain);
    }
  });

  it('is not whole wherever it is cut', async () => {
    const { device, model } = await sit();
    const whole = device.startup();

    const passing: number[] = [];
    for (const end of whole.keys()) {
      const missing = await model.incomplete({ bytes: whole.subarray(0, end) });
      if (missing === undefined) passing.push(end);
    }

    expect(passing).toEqual([]);
    expect(await model.incomplete({ bytes: whole })).toBeUndefined();
  });

  it.each(['cut-short', 'error-text', 'empty-answer', 'drops-mid-configuration'] as const)(
    'is not taken for whole when it is not saved, either: %s',
    async (fault) => {
      const { device, model, connect } = await sit();
      await type(connect, 'set system host-name other', 'commit');
      device.faults.set(fault);

      await expect(backUp(model, connect())).rejects.toThrow();
    },
  );
});
