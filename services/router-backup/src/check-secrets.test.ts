import { describe, expect, it } from 'vitest';
import { createRouterBackup } from './service.ts';
import { smallRack } from './testing/small-rack.ts';

describe('the secrets that the service uses', () => {
  it('are those of the places that something is sent to, too', async () => {
    const settings = `{
      upload: gs://backups/rack4, uploadKey: missing/upload, encrypt: none,
      git: { remote: git@git.example.com:rack4.git, privateKey: missing/git },
      webhook: { url: "http://127.0.0.1:9", token: missing/webhook },
      powerToken: { env: SKOLO_NO_SUCH_VARIABLE } }`;

    const problems = await createRouterBackup().checkSecrets(smallRack({ settings }));

    expect(problems.sort()).toEqual([
      expect.stringMatching(/^services\.router-backup\.git\.privateKey: .*no such file/),
      expect.stringMatching(/^services\.router-backup\.powerToken: .*not set/),
      expect.stringMatching(/^services\.router-backup\.uploadKey: .*no such file/),
      expect.stringMatching(/^services\.router-backup\.webhook\.token: .*no such file/),
    ]);
  });
});
