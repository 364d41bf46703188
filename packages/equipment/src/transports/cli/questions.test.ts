import { describe, expect, it } from 'vitest';
import { asksForNewPassword } from './password-change.ts';
import { asksFor, asksForChoice, isMenu, isQuestion, keyAskedFor } from './questions.ts';

describe('words that ask for', () => {
  it.each([
    'Password:',
    'Enter PASSCODE: ',
    "ubnt's password:",
    '[sudo] password for ann:',
    'Enter the enable secret of the lab:',
    'Login password (will not be echoed):',
    '14:03:22 Password:',
    'passwd :',
    'Password for user ann on vty 3:',
    'Password for user:',
    'password for admin@host:',
    'Passwort:',
    'Passwort für ann: ',
    'Mot de passe\u00a0: ',
    'Mot de passe :',
    'Contraseña: ',
    'Senha:',
    'Wachtwoord voor ann:',
    'Please Enter Password: ________',
  ])('a password: %s', (line) => {
    expect(asksFor(line.trimEnd())).toBe('password');
    const inBytes = Buffer.from(line).toString('latin1');
    expect(asksFor(inBytes.trimEnd())).toBe('password');
  });

  it.each([
    'User:',
    'User Name :',
    'User ID:',
    'Username or e-mail:',
    'switch-1 login:',
    'login as:',
    'Username for enable:',
    'TACACS+ user:',
    'Please Enter Login Name: ________',
    'Account name [of the lab]:',
  ])('a name: %s', (line) => {
    expect(asksFor(line.trimEnd())).toBe('username');
  });

  it.each([
    'Kennwort:',
    'Response:',
    'Verification code:',
    'Show password (y/n):',
    'Do you accept (yes/no)?',
    'Forgot your password? Call 555:',
    'Your password will be logged by:',
    'secret>',
    'my-login:',
    'user#',
    'Password: is what nobody must tell',
    'no password, no user',
    'Last login: Mon Nov 20',
    'Last login:',
    'Enter your login: and password',
    'Host name:',
  ])('neither: %s', (line) => {
    expect(asksFor(line)).toBeUndefined();
  });

  it.each(['Kennwort:', 'Response: ', 'Continue?', 'Proceed [y/n]', 'Mot de passe :'])(
    'something: %s',
    (line) => {
      expect(isQuestion(line.trimEnd())).toBe(true);
    },
  );

  it.each(['switch#', 'host>', '', '----', 'interface 1:2'])('nothing: %s', (line) => {
    expect(isQuestion(line)).toBe(false);
  });
});

it.each([
  'New password:',
  'Retype new password:',
  'Neues Passwort:',
  'Nouveau mot de passe\u00a0:',
  'Retapez le nouveau mot de passe :',
  'Nueva contraseña:',
  'Nova senha:',
  'Nieuw wachtwoord:',
])('a new password is asked for, and never the old one given: %s', (line) => {
  expect(asksForNewPassword(line)).toBe(true);
  expect(asksForNewPassword(Buffer.from(line).toString('latin1'))).toBe(true);
});

it.each(['Password:', 'Passwort:', 'Mot de passe :', 'Password for nova:', 'Contraseña:'])(
  'no new password is asked for: %s',
  (line) => {
    expect(asksForNewPassword(line)).toBe(false);
  },
);

describe('a key is pressed', () => {
  it.each([
    ['Press RETURN to get started.', '\r'],
    ['Press any key to continue', ' '],
    ['Please press Enter to activate this console.', '\r'],
    ["(Press 'a' to accept):", 'a'],
    ['Enter Ctrl-Y to begin.', '\x19'],
    ['-- Hit any key --', ' '],
    ['Press <SPACE> key to continue...', ' '],
    ['Press [ENTER] to continue or CTRL-C to abort', '\r'],
  ])('for %s', (line, key) => {
    expect(keyAskedFor(line)).toBe(key);
  });

  it.each([
    'Press any key to stop autoboot: 3',
    'Press y to erase the configuration',
    'Password:',
    'Express entry to continue',
    'description press office',
    'Type help to see commands',
  ])('not for %s', (line) => {
    expect(keyAskedFor(line)).toBeUndefined();
  });
});

describe('a choice is recognised', () => {
  it.each([
    'Are you sure to save now?[Y/N]:',
    'Do you want to log out (y/n)? ',
    'Continue connecting (yes/no/[fingerprint])? ',
    'Do you accept and acknowledge the statement above ? (yes/no) : ',
    'Proceed? [yes or no]',
    'Save changes? <y/n>',
    'Overwrite [y/N]',
  ])('in %s', (line) => {
    expect(asksForChoice(line.trimEnd())).toBe(true);
  });

  it.each(['Password:', 'router1#', 'interface only/n', 'mode (y/n) is set', 'many or none'])(
    'not in %s',
    (line) => {
      expect(asksForChoice(line)).toBe(false);
    },
  );
});

describe('a menu', () => {
  it.each([
    [['   1. Status and Counters...', '   2. Switch Configuration...', '   3. Console'], true],
    [['[1] Ports', '[2] VLANs', '[3] Exit'], true],
    [['1) yes', '2) no'], false],
    [['10 Gigabit', '3 fans', '2024 copyright'], false],
  ])('of %j: %s', (lines, expected) => {
    expect(isMenu(lines)).toBe(expected);
  });
});
