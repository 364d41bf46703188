/** `skolo secrets set`, `generate`, `edit`: change values in the store. */
import { spawn } from 'node:child_process';
import { Secret } from '@skolo/base/secrets';
import type { RackSecret } from '@skolo/rack/secrets';
import type { SkoloCommand } from '../../command.ts';
import { CliError } from '../../errors.ts';
import { plain } from '../../output/text.ts';
import { interruptible } from '../../reach/racks.ts';
import { programEnd } from '../../reach/run-program.ts';
import { findSecret, type OpenSecrets, openSecrets } from './open-secrets.ts';

/** The remaining steps after values were stored. */
function nextSteps({ rack, store }: OpenSecrets, ...places: string[]): string {
  const files = places.flatMap((place) => store.file?.(place) ?? []);
  const commit = `commit ${files.join(' and ')}, because skolo push rejects uncommitted files; `;
  return `${files.length > 0 ? commit : ''}then run skolo secrets apply ${rack.name}`;
}

/** `skolo secrets set`: a value from standard input, or typed. */
export function set(command: SkoloCommand): void {
  command
    .description(
      "Saves a secret's value in the store. The command reads the value from standard input, or prompts for it in a terminal. The rack keeps the old value until you run skolo secrets apply.",
    )
    .summary('store the value of a secret')
    .argument('<rack>', 'name of the rack')
    .argument('<secret>', 'secret name, as listed by skolo secrets status')
    .uses('clusters')
    .example('skolo secrets set rack4 bots.json < key.json');

  command.action(async (rackName: string, name: string) => {
    const { io } = command;
    const open = await openSecrets(command, rackName);
    const secret = await findSecret(open, name);
    const { secretFrom } = await import('@skolo/fleet/secret-store');
    const bytes = io.canAsk
      ? Buffer.from((await io.askSecret(`${secret.name} of ${rackName}: `)) ?? '')
      : await io.input();
    await open.store.write(secret.place, secretFrom(bytes, io.canAsk ? name : 'standard input'));
    io.err(`${secret.place}: stored in ${open.store.title}; ${nextSteps(open, secret.place)}`);
  });
}

/** `skolo secrets generate`: a new random value. */
export function generate(command: SkoloCommand): void {
  command
    .description(
      "Generates a value for a secret that does not have one yet: a password, a token, an SSH key, an SNMP key, an age identity or the agents' signing key, depending on how rack.yaml uses the secret. For keys and age identities, the command prints the public key or recipient. To replace a value, run skolo secrets set.",
    )
    .summary('generate a value for a secret that does not have one')
    .argument('<rack>', 'name of the rack')
    .argument('<secret>', 'secret name')
    .uses('clusters')
    .example('skolo secrets generate rack4 snmp-auth');

  command.action(async (rackName: string, name: string) => {
    const { io } = command;
    const open = await openSecrets(command, rackName);
    const { kind, place } = await findSecret(open, name);
    if ((await open.store.find(place)) !== undefined) {
      throw new CliError(`${place} already has a value; to replace it, run skolo secrets set`);
    }
    const { generatedKinds, generateValue } = await import('@skolo/fleet/secret-store');
    if (kind === 'api-token') {
      await generateApiToken(command, open, await findSecret(open, name));
      return;
    }
    const known = generatedKinds.find((each) => each === kind);
    if (known === undefined) {
      throw new CliError(
        `${name}: cannot generate this kind of secret (${kind}); ${madeBy[kind] ?? 'get it from its issuer and run skolo secrets set'}`,
      );
    }
    const made = await generateValue(known, `${place}@skolo`);
    await open.store.write(place, made.value);
    if (made.public) io.out(plain(made.public.text));
    const shown = made.public ? ` with this ${made.public.what}` : '';
    const next = nextSteps(open, place);
    io.err(`${place}: ${kind} generated${shown}, stored in ${open.store.title}; ${next}`);
  });
}

/** As long as a k3s certificate is valid. */
const tokenDays = 365;

/** A program's token: its hash is added to the token file, which must be in the store. */
async function generateApiToken(
  command: SkoloCommand,
  open: OpenSecrets,
  { name, place, users: [user = name] }: RackSecret,
): Promise<void> {
  const { io } = command;
  const { secrets, store, fleetRack } = open;
  const file = secrets.find(({ kind }) => kind === 'token-file');
  await interruptible(command, async (signal) => {
    const previous = file && (await store.read(file.place, signal));
    if (file === undefined || previous === undefined) {
      throw new CliError(
        `${name} cannot be generated, because the store does not contain the token file for its hash; add access.tokens to rack.yaml, and create a first token with skolo token new --on ${fleetRack.name}`,
      );
    }
    const [{ newToken }, { withPrivateFile }] = await Promise.all([
      import('@skolo/common'),
      import('@skolo/fleet/secrets'),
    ]);
    let token: Secret | undefined;
    const tokens = await withPrivateFile(io.env, file.name, previous, async (path) => {
      const options = { name: user, role: 'operate', expiresInDays: tokenDays } as const;
      token = new Secret(await newToken(path, { ...options, now: io.now() }));
    });
    if (token === undefined) throw new Error('no token was created');
    signal.throwIfAborted();
    await store.write(file.place, tokens);
    await store.write(place, token);
    io.err(
      `${place}: created a token for ${user} with the operate role, valid for ${tokenDays} days; its hash is in ${file.place}; ${nextSteps(open, file.place, place)}`,
    );
  });
}

const madeBy: Readonly<Record<string, string>> = {
  'service-account-key':
    'create one with `gcloud iam service-accounts keys create` and run skolo secrets set',
  'token-file': 'create it with `skolo token new NAME --role R --on RACK`',
  'tls-key': 'get it from your certificate authority and run skolo secrets set',
  certificate: 'get it from your certificate authority and run skolo secrets set',
  'adb-key':
    'create a key with `adb keygen FILE`, accept it on each phone, and run skolo secrets set',
  'adb-public-key':
    'create it along with adbkey by running `adb keygen FILE`, and then run skolo secrets set',
};

/** `skolo secrets edit`: a value in an editor. */
export function edit(command: SkoloCommand): void {
  command
    .description(
      'Opens a secret in your editor (VISUAL or EDITOR, otherwise vi). The unencrypted text is kept in an in-memory file that only you can read. The file is removed at the end, even if skolo is killed. Make sure that your editor does not write backups to other directories.',
    )
    .summary('edit a secret in your editor')
    .argument('<rack>', 'name of the rack')
    .argument('<secret>', 'secret name')
    .uses('clusters')
    .example('skolo secrets edit rack4 tokens.yaml');

  command.interruptible(async (signal, rackName: string, name: string) => {
    const { io } = command;
    const open = await openSecrets(command, rackName);
    const { place } = await findSecret(open, name);
    const { secretFrom } = await import('@skolo/fleet/secret-store');
    const { withPrivateFile } = await import('@skolo/fleet/secrets');
    const previous = await open.store.read(place, signal);
    const value = await withPrivateFile(io.env, name, previous ?? new Secret(''), (path) =>
      runEditor(command, path),
    );
    if (value.reveal() === (previous?.reveal() ?? '')) {
      io.err(`${place}: not changed`);
      return;
    }
    await open.store.write(place, secretFrom(Buffer.from(value.reveal()), name));
    io.err(`${place}: stored in ${open.store.title}; ${nextSteps(open, place)}`);
  });
}

/** The editor gets Ctrl-C: what it has saved counts if it exits successfully. */
async function runEditor({ io }: SkoloCommand, path: string): Promise<void> {
  const editor = io.env.VISUAL || io.env.EDITOR || 'vi';
  // A shell, because the variable may have arguments.
  const child = spawn('sh', ['-c', `${editor} "$1"`, 'sh', path], {
    env: io.env,
    stdio: 'inherit',
  });
  const { exitCode } = await programEnd(io, editor, child);
  if (exitCode !== 0)
    throw new CliError(`${editor}: exited with code ${exitCode}; nothing was changed`);
}
