import { Accounts } from './accounts.ts';
import type { CliDevice } from './core.ts';
import { Gate } from './gate.ts';
import { hostKey as makeHostKey } from './host-key.ts';
import type { CliModel, CliOptions } from './model.ts';
import { createSsh, legacyAlgorithms } from './ssh.ts';
import { answerTelnet } from './telnet.ts';

/** Puts a model on the network, with its outlets as after a power failure. */
export async function startCliDevice(model: CliModel, options: CliOptions): Promise<CliDevice> {
  const { core } = model;
  const { host = '127.0.0.1', port = 0, telnetPort, legacyOnly = false, banner = '' } = options;
  const accounts = new Accounts(options, core.faults, model);
  const gate = new Gate({
    core,
    maxSessions: options.maxSessions ?? Number.POSITIVE_INFINITY,
    busyInside: model.busyInside ?? false,
  });
  const { key, fingerprint } = makeHostKey(options.hostKey, legacyOnly ? 'rsa' : 'ed25519');
  const endpoint = { core, model, accounts, banner };
  const takeSsh = createSsh({
    ...endpoint,
    methods: options.signIn ?? model.signIn,
    hostKey: key,
    algorithms: options.algorithms ?? (legacyOnly ? legacyAlgorithms : undefined),
  });
  model.powerUp();
  const sshPort = await gate.listen(host, port, takeSsh);
  const openTelnetPort =
    telnetPort === undefined
      ? undefined
      : await gate.listen(host, telnetPort, (socket) => answerTelnet(socket, endpoint));

  return {
    model: model.name,
    host,
    port: sshPort,
    ...(openTelnetPort !== undefined && { telnetPort: openTelnetPort }),
    hostKey: fingerprint,
    board: core.board,
    received: core.received,
    faults: core.faults,
    sessions: core.sessions,
    async reboot() {
      gate.dropAll();
      core.forgetTimers();
      for (const outlet of core.board.names()) core.board.set(outlet, false);
      model.powerUp();
    },
    async close() {
      await gate.close();
      core.forgetTimers();
    },
  };
}
