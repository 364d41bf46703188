/** Images in a file, with the same bytes from the same images: builders write the time of the build into layers and settings. */
import { execFileSync } from 'node:child_process';
import {
  closeSync,
  existsSync,
  linkSync,
  mkdirSync,
  openSync,
  readFileSync,
  readSync,
  realpathSync,
  rmSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { sha256, sha256OfFile } from '@skolo/base';

/** Size of a tar block (https://www.gnu.org/software/tar/manual/html_node/Standard.html), and offsets and lengths in a header. */
const block = 512;
const field = { size: [124, 12], mtime: [136, 12], checksum: [148, 8], magic: [257, 5] };

/**
 * Rewrites an archive that `docker save` wrote: no file in it, and no image, is newer than `time`. `docker load`, `ctr images import` and
 * k3s read the result.
 *
 * @param {string} file
 * @param {number} time in seconds since 1970
 */
export async function settleImages(file, time) {
  const [from, to] = [`${file}.saved`, `${file}.settled`];
  try {
    for (const folder of [from, to]) mkdirSync(folder, { recursive: true });
    execFileSync('tar', ['-xf', file, '-C', from]);
    rmSync(file);
    const settler = new Settler(from, to, time);
    const manifest = [];
    for (const image of JSON.parse(readFileSync(join(from, 'manifest.json'), 'utf8'))) {
      manifest.push(await settler.image(image));
    }
    manifest.sort((a, b) => (`${a.RepoTags}` < `${b.RepoTags}` ? -1 : 1));
    writeFileSync(join(to, 'manifest.json'), JSON.stringify(manifest));
    const owner = ['--owner=0', '--group=0', '--numeric-owner', '--mode=a=r', `--mtime=@${time}`];
    const names = [...new Set(manifest.flatMap((each) => [each.Config, ...each.Layers]))].sort();
    execFileSync('tar', ['-cf', file, ...owner, '-C', to, 'manifest.json', ...names]);
  } finally {
    for (const folder of [from, to]) rmSync(folder, { recursive: true, force: true });
  }
}

/**
 * @typedef {object} SavedImage as in `manifest.json`
 * @property {string} Config file
 * @property {string[]} RepoTags
 * @property {string[]} Layers files
 */

class Settler {
  /** Names of settled layers by their files, because images share layers. @type {Map<string, string>} */
  layers = new Map();

  /**
   * @param {string} from
   * @param {string} to
   * @param {number} time
   */
  constructor(from, to, time) {
    this.from = from;
    this.to = to;
    this.time = time;
  }

  /**
   * @param {SavedImage} saved
   * @returns {Promise<SavedImage>}
   */
  async image({ Config, RepoTags, Layers }) {
    const layers = [];
    for (const layer of Layers) layers.push(await this.layer(layer));
    const config = JSON.parse(readFileSync(join(this.from, Config), 'utf8'));
    const newest = new Date(this.time * 1000).toISOString();
    for (const dated of [config, ...config.history]) {
      if (Date.parse(dated.created) > this.time * 1000) dated.created = newest;
    }
    config.rootfs.diff_ids = layers.map((name) => `sha256:${name.replace('.tar', '')}`);
    const text = JSON.stringify(config);
    const name = `${sha256(text)}.json`;
    writeFileSync(join(this.to, name), text);
    return { Config: name, RepoTags: [...RepoTags].sort(), Layers: layers };
  }

  /** @param {string} path */
  async layer(path) {
    // Docker writes a layer of several images once, and links to it.
    const file = realpathSync(join(this.from, path));
    const known = this.layers.get(file);
    if (known !== undefined) return known;
    limitTimes(file, this.time);
    const name = `${await sha256OfFile(file)}.tar`;
    // Not moved, because links to it must keep working.
    if (!existsSync(join(this.to, name))) linkSync(file, join(this.to, name));
    this.layers.set(file, name);
    return name;
  }
}

/**
 * Replaces later times in the headers of a tar file.
 *
 * @param {string} file
 * @param {number} latest in seconds since 1970
 */
function limitTimes(file, latest) {
  const archive = openSync(file, 'r+');
  const header = Buffer.alloc(block);
  try {
    for (let at = 0; readSync(archive, header, 0, block, at) === block && header[0] !== 0; ) {
      if (textAt(field.magic) !== 'ustar') throw new Error(`${file}: not an uncompressed layer`);
      if (numberAt(field.mtime) > latest) {
        write(field.mtime, `${octal(latest, 11)}\0`);
        write(field.checksum, ' '.repeat(8));
        const sum = header.reduce((total, byte) => total + byte, 0);
        write(field.checksum, `${octal(sum, 6)}\0 `);
        writeSync(archive, header, 0, block, at);
      }
      at += block + Math.ceil(numberAt(field.size) / block) * block;
    }
  } finally {
    closeSync(archive);
  }

  /** @param {number[]} where */
  function textAt([start = 0, length = 0]) {
    return header.toString('latin1', start, start + length);
  }

  /** @param {number[]} where */
  function numberAt(where) {
    return Number.parseInt(textAt(where), 8);
  }

  /**
   * @param {number[]} where
   * @param {string} text
   */
  function write([start = 0], text) {
    header.write(text, start, 'latin1');
  }
}

/**
 * @param {number} value
 * @param {number} digits
 */
function octal(value, digits) {
  return value.toString(8).padStart(digits, '0');
}
