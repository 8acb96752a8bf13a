import { generateKeyPair } from 'node:crypto';
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { type Command, CommandError, EXIT_OK, EXIT_USAGE } from './command.js';

const BITS_MIN = 2048;
const BITS_MAX = 8192;

/** The files, and what each is for. */
const FILES = {
  'private.pem': 'signs tokens (janus-sfu token, your own backend); keep it from this server’s users',
  'public.pem': 'checks them: AUTH_KEY of janus-sfu (PEM)',
  'public.pkcs1.der': 'the same, as janus-plugin-sfu takes it (PKCS#1 DER)',
  'public.spki.der': 'the same, as most other tools take it (SPKI DER)',
} as const;

function bitsOf(text: string): number {
  const bits = Number(text);
  if (Number.isInteger(bits) && bits >= BITS_MIN && bits <= BITS_MAX) return bits;
  throw new CommandError(`--bits ${text}: should be a whole number from ${BITS_MIN} to ${BITS_MAX}`, EXIT_USAGE);
}

export const keys: Command = {
  name: 'keys',
  summary: 'makes a pair of RSA keys for tokens, in every form that is asked for',
  usage: '[--out folder] [--bits 2048] [--force]',
  settings: false,
  options: [
    { name: 'out', value: 'folder', meaning: 'where the files go; the current folder unless told, made if missing' },
    { name: 'bits', value: 'number', meaning: 'length of the modulus, 2048 to 8192; 2048 unless told' },
    { name: 'force', meaning: 'replaces files that are there: tokens of the old key are worth nothing afterwards' },
  ],
  async run(given, { folder, out }) {
    const target = path.resolve(folder, given.value('out') ?? '.');
    const pair = await promisify(generateKeyPair)('rsa', { modulusLength: bitsOf(given.value('bits') ?? '2048') });
    const contents: Record<keyof typeof FILES, string | Buffer> = {
      'private.pem': pair.privateKey.export({ type: 'pkcs8', format: 'pem' }),
      'public.pem': pair.publicKey.export({ type: 'spki', format: 'pem' }),
      'public.pkcs1.der': pair.publicKey.export({ type: 'pkcs1', format: 'der' }),
      'public.spki.der': pair.publicKey.export({ type: 'spki', format: 'der' }),
    };
    const files = Object.entries(contents).map(([name, content]) => ({ name, content, file: path.join(target, name) }));
    const there = files.filter(({ file }) => existsSync(file));
    if (there.length > 0 && !given.has('force')) {
      throw new CommandError(
        there.map(
          ({ file }) => `${file} is there already; choose another folder with --out, or replace it with --force`,
        ),
      );
    }
    try {
      mkdirSync(target, { recursive: true });
      for (const { file } of there) rmSync(file);
      for (const { name, content, file } of files) {
        // `wx`: never through a link that somebody has put there meanwhile.
        writeFileSync(file, content, { flag: 'wx', mode: name === 'private.pem' ? 0o600 : 0o644 });
      }
    } catch (error) {
      throw new CommandError(`the keys can not be written (${error instanceof Error ? error.message : error})`);
    }
    for (const [name, meaning] of Object.entries(FILES)) out(`${path.join(target, name)}: ${meaning}\n`);
    return EXIT_OK;
  },
};
