import { createHash } from 'node:crypto';
import { Storage } from '@google-cloud/storage';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { clientOf, randomContent, signedIn, start } from './testing.ts';

const hello = Buffer.from('interface eth0\n');
const helloMd5 = createHash('md5').update(hello).digest('base64');

describe("Google's own client", () => {
  it.each([
    ['in one request', false],
    ['resumably', true],
  ])('uploads %s, and reads back what it sent', async (_how, resumable) => {
    const google = await start();
    const file = clientOf(google).bucket('backups').file('rack4/router 1.gz');
    const content = randomContent(300_000);

    await file.save(content, {
      resumable,
      contentType: 'application/gzip',
      metadata: { metadata: { model: 'frr' } },
    });

    const [read] = await file.download();
    expect(read.equals(content)).toBe(true);
    const [about] = await file.getMetadata();
    expect(about).toMatchObject({
      bucket: 'backups',
      name: 'rack4/router 1.gz',
      size: '300000',
      contentType: 'application/gzip',
      md5Hash: createHash('md5').update(content).digest('base64'),
      metadata: { model: 'frr' },
      generation: expect.stringMatching(/^\d{16}$/),
      metageneration: '1',
      timeCreated: expect.stringMatching(/^\d{4}-.*Z$/),
    });
  });

  it('finds CRC-32C as it calculates it itself', async () => {
    const google = await start();
    google.put('backups', 'check', Buffer.from('123456789'));

    const [content] = await clientOf(google)
      .bucket('backups')
      .file('check')
      .download({ validation: 'crc32c' });

    expect(content.toString()).toBe('123456789');
    // The check value of the algorithm: e3069283.
    expect(google.objects('backups')[0]?.crc32c).toBe('4waSgw==');
  });

  it('uploads in many pieces', async () => {
    const google = await start();
    const file = clientOf(google).bucket('backups').file('large');
    const content = randomContent(700_000);

    await file.save(content, { resumable: true, chunkSize: 256 * 1024 });

    expect(google.objects('backups')[0]?.content.equals(content)).toBe(true);
    expect(google.calls.map(({ operation, status }) => [operation, status])).toEqual([
      ['start', 200],
      ['resume', 308],
      ['resume', 308],
      ['resume', 200],
    ]);
  });

  it('uploads nothing at all', async () => {
    const google = await start();
    const file = clientOf(google).bucket('backups').file('empty');

    await file.save(Buffer.alloc(0), { resumable: false });

    expect((await file.download())[0]).toHaveLength(0);
  });

  it('gets a part of an object', async () => {
    const google = await start();
    google.put('backups', 'a', Buffer.from('0123456789'));
    const file = clientOf(google).bucket('backups').file('a');

    const [part] = await file.download({ start: 2, end: 4 });

    expect(part.toString()).toBe('234');
  });

  it('lists by prefix, in pages', async () => {
    const google = await start();
    google.largestPage = 2;
    for (const name of ['b/2', 'a/1', 'a/3', 'a/2', 'a/sub/4']) google.put('backups', name, hello);
    const bucket = clientOf(google).bucket('backups');

    const [all] = await bucket.getFiles({ prefix: 'a/' });
    const [page, next] = await bucket.getFiles({ prefix: 'a/', autoPaginate: false });
    const [rest] = await bucket.getFiles(next);

    expect(all.map(({ name }) => name)).toEqual(['a/1', 'a/2', 'a/3', 'a/sub/4']);
    expect(page.map(({ name }) => name)).toEqual(['a/1', 'a/2']);
    expect(rest.map(({ name }) => name)).toEqual(['a/3', 'a/sub/4']);
  });

  it('lists what is behind a delimiter once', async () => {
    const google = await start();
    for (const name of ['a/1', 'a/sub/4', 'a/sub/5', 'b']) google.put('backups', name, hello);

    const [files, , answer] = await clientOf(google)
      .bucket('backups')
      .getFiles({ prefix: 'a/', delimiter: '/', autoPaginate: false });

    expect(files.map(({ name }) => name)).toEqual(['a/1']);
    expect(answer).toMatchObject({ prefixes: ['a/sub/'] });
  });

  it('changes custom metadata, and removes a key with null', async () => {
    const google = await start();
    google.put('backups', 'a', hello, { time: 'old', model: 'frr' });
    const file = clientOf(google).bucket('backups').file('a');

    await file.setMetadata({ metadata: { time: 'new', model: null } });

    const [about] = await file.getMetadata();
    expect(about).toMatchObject({ metadata: { time: 'new' }, metageneration: '2' });
  });

  it('deletes, and says what is not there', async () => {
    const google = await start();
    google.put('backups', 'a', hello);
    const file = clientOf(google).bucket('backups').file('a');

    await file.delete();

    expect(google.objects('backups')).toEqual([]);
    expect(await file.exists()).toEqual([false]);
    await expect(file.delete()).rejects.toMatchObject({
      code: 404,
      message: 'No such object: backups/a',
    });
    await expect(file.download()).rejects.toMatchObject({ code: 404 });
  });

  it('keeps to preconditions', async () => {
    const google = await start();
    const file = clientOf(google).bucket('backups').file('a');
    const onlyNew = { preconditionOpts: { ifGenerationMatch: 0 } };

    await file.save(hello, { resumable: false, ...onlyNew });

    for (const resumable of [false, true]) {
      const again = file.save(Buffer.from('other'), { resumable, ...onlyNew });
      await expect(again).rejects.toMatchObject({ [resumable ? 'status' : 'code']: 412 });
    }
    const [about] = await file.getMetadata();
    await file.save(Buffer.from('other'), {
      resumable: false,
      preconditionOpts: { ifGenerationMatch: about.generation ?? 0 },
    });
    expect(google.objects('backups')[0]?.content.toString()).toBe('other');
    expect(google.calls.map(({ status }) => status)).toEqual([200, 412, 412, 200, 200]);
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

  it('makes and finds buckets', async () => {
    const google = await start();
    const storage = clientOf(google);

    await storage.createBucket('other');

    const [buckets] = await storage.getBuckets();
    expect(buckets.map(({ name }) => name)).toEqual(['backups', 'other']);
    expect(await storage.bucket('other').exists()).toEqual([true]);
    expect(await storage.bucket('nobody').exists()).toEqual([false]);
    await expect(storage.createBucket('other')).rejects.toMatchObject({ code: 409 });
  });

  it('hears that there is no such bucket', async () => {
    const google = await start();
    const nobody = clientOf(google).bucket('nobody');
    const error = { code: 404, message: 'The specified bucket does not exist.' };

    await expect(nobody.getFiles()).rejects.toMatchObject(error);
    await expect(nobody.file('a').save(hello, { resumable: false })).rejects.toMatchObject(error);
    await expect(nobody.file('a').getMetadata()).rejects.toMatchObject(error);
  });

  it('needs a token that is good', async () => {
    const google = await start({ accepts: (token) => token === 'good' });
    const nobody = clientOf(google).bucket('backups');
    const stranger = clientOf(google, signedIn('bad')).bucket('backups');
    const ours = clientOf(google, signedIn('good')).bucket('backups');

    await expect(nobody.getFiles()).rejects.toMatchObject({
      code: 401,
      errors: [{ reason: 'required' }],
    });
    await expect(stranger.getFiles()).rejects.toMatchObject({
      code: 401,
      message: 'Invalid Credentials',
    });
    await ours.file('a').save(hello, { resumable: false });
    expect((await ours.getFiles())[0]).toHaveLength(1);
  });

  it('goes on with a session without a token, since its address is secret', async () => {
    const google = await start({ accepts: (token) => token === 'good' });
    const file = clientOf(google, signedIn('good')).bucket('backups').file('a');

    const [uri] = await file.createResumableUpload();
    await new Promise<void>((resolve, reject) => {
      file.createWriteStream({ uri }).on('finish', resolve).on('error', reject).end(hello);
    });

    expect(google.objects('backups')[0]?.content.equals(hello)).toBe(true);
    expect(google.calls.map(({ operation, token }) => [operation, token])).toEqual([
      ['start', 'good'],
      ['resume', undefined],
      ['resume', undefined],
    ]);
  });

  it('may not do what it has no permission for', async () => {
    const google = await start();
    const file = clientOf(google).bucket('backups').file('a');
    google.withhold('storage.objects.delete');
    const save = () => file.save(hello, { resumable: false });

    await save();
    const rejection = {
      code: 403,
      message: expect.stringContaining('does not have storage.objects.delete access'),
      errors: [{ reason: 'forbidden' }],
    };

    await expect(save(), 'replacing').rejects.toMatchObject(rejection);
    await expect(file.delete()).rejects.toMatchObject(rejection);
    google.grant('storage.objects.delete');
    await file.delete();
  });

  it('is led here by STORAGE_EMULATOR_HOST', async () => {
    const google = await start();
    vi.stubEnv('STORAGE_EMULATOR_HOST', google.url);
    onTestFinished(() => void vi.unstubAllEnvs());
    const bucket = new Storage({ projectId: 'my-project' }).bucket('backups');

    await bucket.file('a').save(hello, { resumable: false });
    await bucket.file('b').save(hello, { resumable: true });
    const [files] = await bucket.getFiles();
    const [content] = await bucket.file('b').download();

    expect(files.map(({ name }) => name)).toEqual(['a', 'b']);
    expect(content.equals(hello)).toBe(true);
    expect(google.calls.map(({ path }) => path)).toContainEqual('/b/backups/o?');
  });
});
