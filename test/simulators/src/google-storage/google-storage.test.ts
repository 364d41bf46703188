import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { clientOf, signedIn, start } from './testing.ts';

const hello = Buffer.from('interface eth0\n');
const helloMd5 = createHash('md5').update(hello).digest('base64');

describe("Google's own client", () => {
  it('uploads nothing at all', async () => {
    const google = await start();
    const file = clientOf(google).bucket('backups').file('empty');

    await file.save(Buffer.alloc(0), { resumable: false, validation: 'md5' });

    expect((await file.download({ validation: 'md5' }))[0]).toHaveLength(0);
  });

  it('is rejected content that is not what its checksum says', async () => {
    const google = await start();
    const file = clientOf(google).bucket('backups').file('a');
    const wrong = createHash('md5').update('other').digest('base64');

    const saving = file.save(hello, {
      resumable: false,
      validation: false,
      metadata: { md5Hash: wrong },
    });

    await expect(saving).rejects.toMatchObject({
      code: 400,
      message: `Provided MD5 hash "${wrong}" doesn't match calculated MD5 hash "${helloMd5}".`,
    });
    expect(google.objects('backups')).toEqual([]);
  });

  it('goes on with a session without a token, since its address is secret', async () => {
    const google = await start({ accepts: (token) => token === 'good' });
    const file = clientOf(google, signedIn('good')).bucket('backups').file('a');

    const [uri] = await file.createResumableUpload();
    await new Promise<void>((resolve, reject) => {
      const stream = file.createWriteStream({ uri, validation: 'md5' });
      stream.on('finish', resolve).on('error', reject).end(hello);
    });

    expect(google.objects('backups')[0]?.content.equals(hello)).toBe(true);
    expect(google.calls.map(({ operation, token }) => [operation, token])).toEqual([
      ['start', 'good'],
      ['resume', undefined],
      ['resume', undefined],
    ]);
  });
});
